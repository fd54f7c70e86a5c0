"""What a listing says of an object, what is asked of it, and when it is refused without being read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from mht.records import Reason, Refusal

OUTSIDE_ROOT = "outside-root"
"""The version of a link that leaves the folder it was listed in: it is counted, and never read."""


Bodies: TypeAlias = list[bytes | Refusal]
"""What was asked for, or why it is not there, in the order of the requests."""

Attempted: TypeAlias = Sequence[bytes | Refusal | Exception]
"""The same after one attempt, with exceptions that are yet to be judged."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An object below a prefix. `name` is its key below the prefix; `version` an ETag or a time of change."""

    name: str
    uri: str
    size_bytes: int | None
    version: str | None


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """An object, or `length` bytes of it from `offset`, with what the plan knows of it.

    `size_bytes` is the size of the whole object. None means unknown (or, for `max_bytes`, without limit).
    """

    uri: str
    offset: int | None = None
    length: int | None = None
    max_bytes: int | None = None
    size_bytes: int | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Stat:
    """Size and version of an object as the store has it now."""

    size_bytes: int
    version: str | None


def wanted_bytes(request: ReadRequest, size_bytes: int | None) -> int | None:
    """How many bytes the request would hand back of an object of this size."""
    if request.length is not None:
        return request.length
    if size_bytes is None:
        return None
    return size_bytes - (request.offset or 0)


def too_many(request: ReadRequest, size_bytes: int | None) -> Refusal | None:
    """A refusal when the request would exceed its limit; decided from sizes alone."""
    wanted = wanted_bytes(request, size_bytes)
    if request.max_bytes is None or wanted is None or wanted <= request.max_bytes:
        return None
    return Refusal(
        Reason.TOO_MANY_BYTES,
        f"{wanted:,} bytes are over the limit of {request.max_bytes:,}; raise imaging.max_bytes",
    )


def replaced(request: ReadRequest, stat: Stat) -> Refusal | None:
    """A refusal when the object is not the one that the plan listed."""
    same_size = request.size_bytes is None or request.size_bytes == stat.size_bytes
    known = request.version is not None and stat.version is not None
    if same_size and (not known or request.version == stat.version):
        return None
    return Refusal(
        Reason.REPLACED_SINCE_PLAN,
        f"listed with {request.size_bytes} bytes, now {stat.size_bytes}, version "
        f"{request.version} now {stat.version}; make a new run to take the new object in",
    )


def missing() -> Refusal:
    """A refusal for an object that is not there."""
    return Refusal(Reason.MISSING_OBJECT, "listed or named, but not there; put it back or list again")


def unreadable(why: str) -> Refusal:
    """A refusal for an object that is there and cannot be read."""
    return Refusal(Reason.UNREADABLE_OBJECT, why)
