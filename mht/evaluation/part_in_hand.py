"""A part while it is asked about: what is known of its rows, requests and replies, till it is committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Generic, TypeVar

from mht.evaluation.kept import KeptParts, Row
from mht.evaluation.ready import Journal
from mht.evaluation.tables import Judged
from mht.generation import TRANSIENT, Reply, Request
from mht.judgements import Asked, Judgement
from mht.predictions import Prediction

Item = TypeVar("Item")


def row_of(prediction: Prediction) -> Asked:
    """A reply as judges are given it."""
    name = f"{prediction.benchmark}/{prediction.row_id}"
    return Asked(name, prediction.question, prediction.truth, prediction.answer, prediction.caption)


def with_cost(
    name: str, given: Judgement, asked: Asked, replies: Sequence[Reply], image: str | None = None
) -> Judged:
    """What was said of a row, with what the replies cost; `image` is the digest of the one that was shown."""
    return Judged(
        name,
        given,
        asked.digest,
        prompt_tokens=sum(reply.prompt_tokens for reply in replies),
        tokens=sum(reply.tokens for reply in replies),
        calls=sum(reply.calls for reply in replies),
        image=image,
    )


@dataclass(slots=True)
class PartInHand(Generic[Item, Row]):
    """A part in hand: the `items` that are asked about, by row; the rows that are `done`; requests and replies.

    `images` is the mark of its images (see `plan.Planned`), `of` the sha256 of the file that it is made of, `shown` the
    digest of each row's image. `tried` counts earlier calls by row. `at` are the addresses where replies were given.
    """

    name: str
    kept: KeptParts[Row]
    number: int
    items: dict[str, Item]
    images: str = ""
    of: str = ""
    at: set[str] = field(default_factory=set)
    done: dict[str, Row] = field(default_factory=dict)
    tried: dict[str, int] = field(default_factory=dict)
    shown: dict[str, str | None] = field(default_factory=dict)
    requests: dict[str, tuple[Request, ...]] = field(default_factory=dict)
    replies: dict[str, Reply] = field(default_factory=dict)
    committed: bool = False
    _digests: dict[str, str] = field(default_factory=dict)
    _journal: Journal = field(init=False)
    _wanted: int = 0
    _seen: int = 0
    """So many of the replies, in their order, are kept, or not for keeping."""

    def __post_init__(self) -> None:
        self._journal = self.kept.journal(self.name)

    @property
    def is_whole(self) -> bool:
        """Whether every request has its reply, or its failure."""
        return len(self.replies) == self._wanted

    @property
    def left(self) -> list[Item]:
        return [item for name, item in self.items.items() if name not in self.done]

    def ask(self, requests: Mapping[str, tuple[Request, ...]]) -> list[Request]:
        """Take these requests in hand, by row. Returns those that no reply was kept of the last time."""
        wanted = [request for of in requests.values() for request in of]
        known = self._journal.read()
        self.requests, self._wanted = dict(requests), len(wanted)
        self._digests = {request.request_id: request.digest for request in wanted}
        self.replies = {
            name: replace(known.replies[digest], request_id=name)
            for name, digest in self._digests.items()
            if digest in known.replies
        }
        self._seen = len(self.replies)
        self.at |= known.at if self.replies else set()
        new = [request for request in wanted if request.request_id not in self.replies]
        if new and self.kept.address is not None:
            self.at.add(self.kept.address)
        return new

    def keep(self) -> None:
        """The replies since the last time, for whoever opens the part after this process; those that no later try could
        better.
        """
        new = islice(self.replies.items(), self._seen, None)
        ready = {self._digests[name]: reply for name, reply in new if reply.failure not in TRANSIENT}
        if ready:
            self._journal.add(ready, self.at)
        self._seen = len(self.replies)

    def commit(self) -> None:
        rows = [self.done[name] for name in self.items]
        self.kept.commit(self.name, self.number, rows, self.of, self.images, self.at)
        self._journal.drop()
        self.committed = True
