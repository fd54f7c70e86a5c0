"""Files of rows: which ones a path names, of which split they are, and their rows, all or some."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from mht.artifacts import dump_json
from mht.errors import InputError, IntegrityError
from mht.records import Refusal
from mht.storage import Listing, ReadRequest, Storage
from mht.training.sources._json import Place, Row, parsed, scan_json
from mht.training.sources._parquet import fetch_parquet, scan_parquet
from mht.training.sources._unfit import Unfit

# Of a folder the files of the first kind that is there are taken: a hub's folder holds some JSON beside its tables.
_KINDS = ((".parquet",), (".jsonl", ".ndjson"), (".json",))
_SPLITS = {"train": "train", "training": "train", "test": "test"} | dict.fromkeys(
    ("validation", "valid", "val", "dev"), "validation"
)
_SPLIT = re.compile(rf"(?:^|/)({'|'.join(_SPLITS)})(?=$|[-_./\d])")
_BLOCK_BYTES = 8 << 20


@dataclass(frozen=True, slots=True)
class DataFile:
    """A file of rows as it was listed. `name` is its path below the source's."""

    name: str
    uri: str
    split: str
    version: str | None
    sha256: str

    @property
    def is_parquet(self) -> bool:
        return self.uri.lower().endswith(".parquet")


def find_files(storage: Storage, path: str) -> list[Listing]:
    """The files of rows that a file's address, a folder or a pattern names, sorted. Raises InputError for none."""
    found = [listing for listing in storage.glob(path) if not _is_hidden(listing.name)]
    for suffixes in _KINDS:
        taken = [listing for listing in found if listing.name.lower().endswith(suffixes)]
        if taken:
            return taken
    raise InputError(f"{path!r}: no .parquet, .jsonl or .json among {len(found):,} files. Check data.path.")


def described(storage: Storage, listing: Listing) -> DataFile:
    """Reads the whole file for its hash."""
    with storage.open_input(listing.uri) as file:
        sha256 = hashlib.sha256()
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
    return DataFile(listing.name, listing.uri, split_of(listing.name), listing.version, sha256.hexdigest())


def digest_of(files: Sequence[DataFile]) -> str:
    """16 hex digits over the files' names and contents."""
    return hashlib.sha256(dump_json([[file.name, file.sha256] for file in files])).hexdigest()[:16]


def split_of(name: str) -> str:
    """By how a file or a folder of its is called, as on the hub: `data/train-00000.parquet`; train without a sign."""
    found = _SPLIT.findall(name.lower())
    return _SPLITS[found[-1]] if found else "train"


def scan(
    storage: Storage, file: DataFile, columns: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[Place, Row | Unfit]]:
    """Each row of the file with its place, in order."""
    with storage.open_input(file.uri) as source:
        if file.is_parquet:
            yield from scan_parquet(source, file.uri, columns, needed)
        else:
            yield from scan_json(source, file.uri)


def fetch(storage: Storage, file: DataFile, places: Sequence[Place], columns: Sequence[str]) -> list[Row]:
    """The rows of these places. Raises IntegrityError when the file is no longer the one that was listed."""
    if file.is_parquet:
        stat = storage.stat(file.uri)
        if stat is None or (None not in (stat.version, file.version) and stat.version != file.version):
            raise _replaced(file, "it is gone" if stat is None else "it was replaced")
        with _seekable(storage, file) as source:
            return fetch_parquet(source, file.uri, places, columns)
    requests = [
        ReadRequest(file.uri, offset=place.at, length=place.extent, version=file.version) for place in places
    ]
    rows = []
    for body in storage.read_many(requests):
        row = Unfit("", body.detail) if isinstance(body, Refusal) else parsed(body)
        if isinstance(row, Unfit):
            raise _replaced(file, row.detail)
        rows.append(row)
    return rows


def _seekable(storage: Storage, file: DataFile) -> BinaryIO:
    """Row groups are ranges of the file: what is not asked for is not read."""
    return storage.open_input(file.uri, whole_bytes=0, buffer_bytes=1 << 20)


def _replaced(file: DataFile, detail: str) -> IntegrityError:
    return IntegrityError(
        f"{file.uri!r} at training: not the file that was listed ({detail}). Put it back, or start a new run."
    )


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))
