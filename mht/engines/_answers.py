"""What an HTTP answer means: JSON to read, a failure to try again, one to keep, or the end of the run.

An endpoint's message may repeat the prompt, the image or part of the key, so none of it is passed on: only its short
codes are, and what can be told from the status. An error may also come under status 200: then its own code counts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any

from mht.engines._chat import completion
from mht.engines._first_token import shares
from mht.generation import TRANSIENT, Failure, Reply, Request

# Beside 401 and 403: a request that nothing but a person can help.
_NO_CREDIT = frozenset({"insufficient_quota", "billing_hard_limit_reached", "insufficient_credits"})
_FILTERS = frozenset({"content_filter", "content_policy_violation", "moderation_blocked"})
_TOO_LONG = re.compile(
    r"context[ _]length|context window|prompt is too long|too many (?:input )?tokens", re.IGNORECASE
)
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.\-]{0,47}")
_STATUS = re.compile(r"[45][0-9]{2}")
_NOT_JSON = "status 200 with a body that is not JSON"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one try brought: the `told` JSON, or the `failure` with its particulars.

    `heard` says that somebody answered, however badly, `garbled` that it was a proxy's page or half a body instead of
    JSON. `denied` is a remedy: no request will fare better.
    """

    told: Any = None
    failure: Failure | None = None
    detail: str = ""
    heard: bool = True
    garbled: bool = False
    denied: str | None = None
    retry_after_s: float | None = None

    @property
    def again(self) -> bool:
        """Whether another try may go otherwise."""
        return self.garbled or self.failure in TRANSIENT


def judge(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """The meaning of a whole answer."""
    if status == 200:
        return _told(headers, body)
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    error = found.get("error", found) if isinstance(found, dict) else None
    return _failed(status, f"status {status}", headers, error)


def _failed(status: int, said: str, headers: Mapping[str, str], error: object) -> Answer:
    """The meaning of an answer that is an error, as of this status; `said` begins the detail."""
    codes, message = _words_of(error)
    detail = " ".join([said, *codes])
    denied = _denied(status, codes)
    if denied is not None:
        return Answer(failure=Failure.NOT_ACCEPTED, detail=detail, denied=denied)
    if 300 <= status < 400:
        moved = "a redirect, which is not followed; set base_url to the address itself"
        return Answer(failure=Failure.NOT_ACCEPTED, detail=f"{detail}: {moved}")
    failure = _failure(status, codes, message)
    return Answer(failure=failure, detail=detail, retry_after_s=retry_after_s(headers))


def _told(headers: Mapping[str, str], body: bytes) -> Answer:
    """JSON that is too deep to be read is no half of a body: it would come again."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as broken:
        deep = isinstance(broken, RecursionError)
        return Answer(failure=Failure.NOT_A_COMPLETION, detail=_NOT_JSON, garbled=not deep)
    error, choices = (told.get("error"), told.get("choices")) if isinstance(told, dict) else (None, None)
    status = _status_of(error)
    if status is None and (choices or not error):
        return Answer(told=told)
    said = "an error without a status" if status is None else f"error {status}"
    return _failed(status or 200, f"status 200 with {said}", headers, error)


def read(request: Request, answer: Answer, calls: int, compared: Sequence[str] = ()) -> tuple[Reply, Answer]:
    """The reply that an answer holds, and the answer with the failure that shows only in the reply.

    With words to be `compared` the reply has their shares as its first token, none where they are not told.
    """
    told = shares(answer.told, compared) if compared else None
    if answer.failure is not None:
        failed = Reply(request.request_id, None, answer.failure, answer.detail, calls=calls, shares=told)
        return failed, answer
    reply = replace(completion(request, answer.told, calls), shares=told)
    return reply, replace(answer, failure=reply.failure, detail=reply.detail)


def _status_of(error: object) -> int | None:
    """The status that an error names in its code, as routers do that pass on what another service said."""
    code = error.get("code") if isinstance(error, dict) else None
    named = isinstance(code, int | str) and _STATUS.fullmatch(str(code))
    return int(str(code)) if named else None


def _failure(status: int, codes: list[str], message: str) -> Failure:
    if status == 429:
        return Failure.RATE_LIMITED
    if status >= 500:
        return Failure.SERVER_ERROR
    if status == 408:
        return Failure.TIMEOUT
    if status < 300:
        return Failure.NOT_A_COMPLETION
    if _FILTERS.intersection(codes):
        return Failure.FILTERED
    too_long = _TOO_LONG.search(" ".join([*codes, message]))
    return Failure.PROMPT_TOO_LONG if too_long else Failure.NOT_ACCEPTED


def _denied(status: int, codes: list[str]) -> str | None:
    """The remedy, as a template for the names of the model, the address and the key's variable."""
    if status == 402 or _NO_CREDIT.intersection(codes):
        return "the account behind {key} has no credit left; add some, the same command goes on"
    if status in (401, 403):
        return "the endpoint refuses the key; check the environment variable {key} and what it may use"
    if status == 404:
        return "the endpoint knows no such model or address; check model and base_url"
    return None


def _words_of(error: object) -> tuple[list[str], str]:
    """(type, code and parameter as far as they are plain words, message) of an error in OpenAI's shape or vLLM's."""
    if not isinstance(error, dict):
        return [], ""
    words = [error.get(key) for key in ("type", "code", "param")]
    codes = [word for word in words if isinstance(word, str) and _CODE.fullmatch(word)]
    return list(dict.fromkeys(codes)), str(error.get("message", ""))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from Retry-After as seconds or as a date; a date is read against the answer's own Date.

    None where there is no header or no sense in it. `headers` ignores case.
    """
    value = headers.get("Retry-After", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        until, now = parsedate_to_datetime(value), parsedate_to_datetime(headers.get("Date", ""))
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):  # no date, or one with a zone beside one without
        return None
