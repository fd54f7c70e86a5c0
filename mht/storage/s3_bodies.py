"""Bodies of S3 objects: which bytes to ask for, what their headers say, and whether they are whole."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from mht.records import Refusal
from mht.storage.failures import CutShortError, Kind, classify
from mht.storage.objects import ReadRequest, Stat, missing, replaced, too_many


def byte_range(request: ReadRequest) -> str | None:
    """The Range header of a request, None for the whole object."""
    if request.offset is None and request.length is None:
        return None
    start = request.offset or 0
    return f"bytes={start}-" if request.length is None else f"bytes={start}-{start + request.length - 1}"


def judge(request: ReadRequest, answer: Any) -> Refusal | None:
    """A refusal from the answer's headers, before its body is read."""
    size = (
        int(answer["ContentRange"].rpartition("/")[2])
        if "ContentRange" in answer
        else answer["ContentLength"]
    )
    stat = Stat(size, answer["ETag"].strip('"'))
    if request.version == stat.version and request.size_bytes not in (None, stat.size_bytes):
        raise CutShortError(f"{stat.size_bytes} of {request.size_bytes} bytes")
    return too_many(request, size) or replaced(request, stat)


class Verifier:
    """Tells a whole body from one that was cut or altered on its way."""

    def __init__(self) -> None:
        self._strange: dict[tuple[str, str], str] = {}

    def verify(self, request: ReadRequest, answer: Any, data: bytes) -> None:
        """Raises CutShortError for a body that is not the object.

        An ETag of 32 hex digits is the MD5 for most stores and encryptions, not for all. So a body that does
        not fit is read again, and one that comes a second time with the same bytes is the object.
        """
        announced = answer["ContentLength"]
        wanted = announced if request.length is None else request.length
        if len(data) != announced or announced != wanted:
            raise CutShortError(f"{len(data):,} of {wanted:,} bytes")
        etag = answer["ETag"].strip('"')
        whole = request.offset is None and request.length is None
        encrypted = answer.get("SSECustomerAlgorithm") or "kms" in (answer.get("ServerSideEncryption") or "")
        if not whole or len(etag) != 32 or encrypted:
            return
        found = hashlib.md5(data, usedforsecurity=False).hexdigest()
        if found != etag and self._strange.get((request.uri, etag)) != found:
            self._strange[request.uri, etag] = found
            raise CutShortError(f"a body of the right length whose MD5 is not the ETag {etag}")
        self._strange.pop((request.uri, etag), None)


@dataclass
class Batch:
    """What one batch of reads has met; `hopeless` spares the rest when the store is down or refuses us."""

    concurrency: int
    answered: bool = False
    failures: int = 0
    hopeless: Exception | None = None

    def failed(self, error: Exception) -> Refusal | Exception:
        """Takes note, and turns an object that is missing into a refusal."""
        kind = classify(error).kind
        if kind is Kind.MISSING:
            self.answered = True
            return missing()
        self.failures += 1
        silent = kind is Kind.TRANSIENT and not self.answered and self.failures >= self.concurrency
        if silent or kind in (Kind.DENIED, Kind.NO_STORE):
            self.hopeless = error
        return error
