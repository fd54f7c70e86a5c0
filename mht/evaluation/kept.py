"""What was answered, or judged, of a benchmark: a part exists by its commit record, created if absent, and is never
asked twice.

A part whose requests failed on the way there and back, or whose images are others by now, may be asked again by a later
run: each try has a record of its own, and the last one counts. Replies that were ready before a part was whole are kept
beside and not paid for again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Generic, Protocol, TypeVar

import pyarrow as pa

from mht.artifacts import (
    FileRecord,
    dump_json,
    names_below,
    parquet_bytes,
    parquet_table,
    read_checked,
    write_content,
)
from mht.errors import IntegrityError, StorageMissing
from mht.evaluation.ready import Journal
from mht.evaluation.tables import Judged, Kept, judged_rows, judged_table, kept_rows, prediction_table
from mht.storage import ReadRequest, Storage, join

_READ_AT_ONCE = 256


class _Row(Protocol):
    @property
    def may_be_asked_again(self) -> bool: ...


Row = TypeVar("Row", bound=_Row)


@dataclass(frozen=True, slots=True)
class Form(Generic[Row]):
    """How rows of one kind are written and read."""

    table: Callable[[Sequence[Row]], pa.Table]
    rows: Callable[[pa.Table], list[Row]]


PREDICTIONS: Form[Kept] = Form(prediction_table, kept_rows)
JUDGEMENTS: Form[Judged] = Form(judged_table, judged_rows)


@dataclass(frozen=True, slots=True)
class Commit:
    """A try of a part: its file, and how many of its rows may be asked again.

    `of` is the sha256 of the file that this one was made of: of judgements, the predictions'. `images` is the mark of
    the images that were looked at (see `plan.Planned`), `at` the addresses of the endpoints that replied.
    """

    part: str
    number: int
    file: FileRecord
    again: int
    of: str = ""
    images: str = ""
    at: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.part}.{self.number}"

    def to_json(self) -> bytes:
        return dump_json(asdict(self))

    @classmethod
    def from_json(cls, data: bytes, where: str) -> Commit:
        """Raises IntegrityError for a record that is not one."""
        try:
            plain = json.loads(data)
            return cls(**{**plain, "file": FileRecord(**plain["file"]), "at": tuple(plain.get("at", ()))})
        except (ValueError, TypeError, KeyError) as error:
            raise IntegrityError(f"{where}: not a commit record ({error}). Remove it and resume.") from None


class KeptParts(Generic[Row]):
    """The parts of one benchmark under one fingerprint; their files lie in `folder`, below the output.

    `address` is where the endpoint is that is asked now, None for an engine without one.
    """

    def __init__(
        self,
        storage: Storage,
        root: str,
        fingerprint: str,
        folder: str,
        form: Form[Row],
        address: str | None = None,
    ) -> None:
        self.address = address
        self._storage = storage
        self._root = root
        self._records = join(root, "commits", fingerprint)
        self._folder = folder
        self._form = form

    def commits(self) -> dict[str, Commit]:
        """The last try of each part that has one."""
        last: dict[str, int] = {}
        for name in names_below(self._storage, self._records, ".json"):
            part, _, number = name.partition(".")
            last[part] = max(last.get(part, 0), int(number))
        uris = [join(self._records, f"{part}.{number}.json") for part, number in sorted(last.items())]
        found = {}
        for at in range(0, len(uris), _READ_AT_ONCE):
            some = uris[at : at + _READ_AT_ONCE]
            for uri, body in zip(
                some, self._storage.read_many([ReadRequest(uri) for uri in some]), strict=True
            ):
                if not isinstance(body, bytes):
                    raise IntegrityError(f"{uri}: {body.detail}. Run the same command again.")
                commit = Commit.from_json(body, uri)
                found[commit.part] = commit
        return found

    def last(self, part: str) -> Commit | None:
        """The part's last try."""
        number, data = 0, b""
        while True:
            try:
                data = self._storage.read(join(self._records, f"{part}.{number + 1}.json"))
            except StorageMissing:
                return Commit.from_json(data, f"{self._records}: {part}") if number else None
            number += 1

    def rows(self, commit: Commit) -> list[Row]:
        """The part's rows, in the order of its questions."""
        return self._form.rows(parquet_table(read_checked(self._storage, self._root, commit.file)))

    def commit(
        self,
        part: str,
        number: int,
        rows: Sequence[Row],
        of: str = "",
        images: str = "",
        at: Iterable[str] = (),
    ) -> Commit:
        """Keep a try of a part; where another worker's is there already, that one counts."""
        data = parquet_bytes(self._form.table(rows))
        file = write_content(self._storage, self._root, f"{self._folder}/{part}", data, len(rows))
        again = sum(row.may_be_asked_again for row in rows)
        mine = Commit(part, number, file, again, of, images, tuple(sorted(at)))
        uri = join(self._records, f"{mine.name}.json")
        if self._storage.create(uri, mine.to_json()):
            return mine
        return Commit.from_json(self._storage.read(uri), uri)

    def journal(self, part: str) -> Journal:
        """Where replies to a part lie until it is whole."""
        return Journal(self._storage, join(self._records, f"{part}.ready"))
