"""What goes to a model and what comes back: every request ends as text, or as a failure of a named kind.

A request is complete in itself, so that any engine can answer it, alone or in a batch, and the same request draws the
same numbers wherever it stands.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Protocol

from mht.records import Reason, Refusal
from mht.replies import Unusable


class Failure(StrEnum):
    """Why there is no text; one word a cause. `TRANSIENT` ones may go otherwise another time."""

    # the way there and back
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    TIMEOUT = "timeout"
    CONNECTION = "connection"
    # the endpoint's answer
    NOT_ACCEPTED = "not_accepted"
    NOT_A_COMPLETION = "not_a_completion"
    NO_CHOICES = "no_choices"
    EMPTY_REPLY = "empty_reply"
    REPLY_TOO_LARGE = "reply_too_large"
    FILTERED = "filtered"
    # the model
    OUT_OF_MEMORY = "oom"
    PROMPT_TOO_LONG = "prompt_too_long"
    CUT_SHORT = "cut_short"
    NOT_FINITE = "not_finite"


TRANSIENT = frozenset({
    Failure.RATE_LIMITED, Failure.SERVER_ERROR, Failure.TIMEOUT, Failure.CONNECTION, Failure.NO_CHOICES
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Request:
    """One question to a model.

    `request_id` names it in errors and logs. `system` and `prompt` are plain text, without a chat template's marks;
    what is untrusted in them stands in a fence (see `mht.prompts`). `image` is an encoded JPEG or PNG; requests with
    equal bytes and equal `system` share its computation. `schema` is a JSON schema that the reply's text must satisfy,
    where the engine can hold it to one; whoever asked checks it all the same. `max_tokens` bounds the reply;
    `cut_ok` takes what was said up to there for one. Temperature 0 is greedy; above it the draws depend on `seed` and
    on nothing else.
    """

    request_id: str
    prompt: str
    system: str | None = None
    image: bytes | None = field(default=None, repr=False)
    schema: Mapping[str, Any] | None = None
    max_tokens: int = 256
    cut_ok: bool = False
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    @property
    def digest(self) -> str:
        """32 hex digits over all that is asked, the image's bytes included: two with one digest are one question."""
        told = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "image"}
        told["schema"] = None if self.schema is None else dict(self.schema)
        seen = None if self.image is None else hashlib.sha256(self.image).hexdigest()
        return hashlib.sha256(json.dumps([told, seen], sort_keys=True).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of a request: `text`, or the `failure` with its particulars, never both.

    `prompt_tokens` and `tokens` (of the reply) are the engine's own counts, 0 where it gives none; `calls` is how often
    the model was asked, tries that failed included. A text that the bound of tokens ended is a failure, `cut_short`, or
    has a `detail` that says so where the request takes such texts. `shares` are the probabilities of the answers that
    were compared, where an engine tells them along with the reply; empty where it cannot tell them of this one.
    """

    request_id: str
    text: str | None
    failure: Failure | None = None
    detail: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    calls: int = 1
    shares: tuple[float, ...] | None = None


def refusal(of: Reply | Unusable) -> Refusal:
    """A failed request, or a reply that cannot be used, as the reason of a row."""
    if isinstance(of, Unusable):
        return Refusal(Reason(f"reply_{of.kind}"), of.detail)
    if of.failure is None:
        raise ValueError(f"request {of.request_id} did not fail")
    word = of.failure.value
    return Refusal(Reason(word if of.failure is Failure.OUT_OF_MEMORY else f"engine_{word}"), of.detail)


@dataclass(frozen=True, slots=True)
class Heard:
    """An engine's sign of life: replies and tokens since the sign before, and requests that still wait.

    `ready` are those replies, where the engine has them by then: whoever hears them may keep them at once.
    """

    replies: int
    tokens: int
    waiting: int
    ready: tuple[Reply, ...] = ()


class Tell(Protocol):
    """Called by an engine as it works, from the thread that called `generate`."""

    def __call__(self, heard: Heard, /) -> None: ...


def silent(_: Heard) -> None:
    """For whoever does not listen."""
