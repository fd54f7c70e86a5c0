"""Replies to a part's requests, kept before the part is whole, so that what was paid for is not paid for again.

On a disk a reply is a line that is added to a file, and costs next to nothing. An object store adds nothing to an
object: there it is written anew, with all its lines.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from mht.errors import StorageMissing
from mht.generation import Failure, Reply
from mht.storage import Storage

_FIELDS = tuple(field.name for field in fields(Reply))


class Ready(NamedTuple):
    """Replies by the digest of their request, and the addresses where they were given."""

    replies: dict[str, Reply]
    at: set[str]


class Journal:
    """The replies of one part, at `uri`."""

    def __init__(self, storage: Storage, uri: str) -> None:
        self._storage, self._uri = storage, uri
        self._lines: list[str] = []
        self._torn = False

    def read(self) -> Ready:
        """What the part had when the process ended that asked. A line that its end has cut is passed over."""
        try:
            text = self._storage.read(self._uri).decode("utf-8", "replace")
        except StorageMissing:
            return Ready({}, set())
        self._torn = bool(text) and not text.endswith("\n")
        rows = []
        for line in text.split("\n"):
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
            self._lines.append(line + "\n")
        at = {address for row in rows for address in row.get("at", ())}
        return Ready({row["asked"]: _reply(row["reply"]) for row in rows if "asked" in row}, at)

    def add(self, replies: Mapping[str, Reply], at: Iterable[str] = ()) -> None:
        """Further replies by the digest of their request."""
        where = sorted(at)
        lines = [
            json.dumps({"asked": of, "at": where, "reply": {name: getattr(reply, name) for name in _FIELDS}})
            + "\n"
            for of, reply in replies.items()
        ]
        text = "".join(lines)
        if self._storage.append(self._uri, (f"\n{text}" if self._torn else text).encode()):
            self._torn, self._lines = False, []
            return
        self._lines += lines
        self._storage.write(self._uri, "".join(self._lines).encode())

    def drop(self) -> None:
        self._storage.delete(self._uri)


def _reply(plain: dict[str, Any]) -> Reply:
    failure, shares = plain["failure"], plain["shares"]
    told = {
        "failure": None if failure is None else Failure(failure),
        "shares": None if shares is None else tuple(shares),
    }
    return Reply(**plain | told)
