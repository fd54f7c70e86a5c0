"""Which files of rows a copy holds, by the names that the release gives them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mht.artifacts import dump_json
from mht.errors import InputError, StorageMissing
from mht.evaluation.benchmarks._images import join_folder
from mht.storage import Storage

_BLOCK_BYTES = 8 << 20
_FEW = 12


@dataclass(frozen=True, slots=True)
class Part:
    """A file of rows; `split` is the one of all its rows, None where each row tells its own."""

    name: str
    uri: str
    split: str | None
    version: str | None = None

    @property
    def folder(self) -> str:
        return self.uri.rpartition("/")[0] or "."


def find_parts(
    storage: Storage,
    path: str,
    release: str,
    named: Mapping[str, str | None],
    below: Sequence[str] = (".",),
) -> list[Part]:
    """The files that `named` gives a split to, in the first of the folders `below` that has one; or the file `path`.

    Of several names of one split the first is taken. Raises InputError that says what was looked for.
    """
    root = storage.absolute(path)
    name = root.rpartition("/")[2]
    if name in named and (stat := storage.stat(root)) is not None:
        return [Part(name, root, named[name], stat.version)]
    for folder in below:
        place = join_folder(root, folder)
        found: dict[str | None, Part] = {}
        for name, split in named.items():
            if split in found:
                continue
            stat = storage.stat(join_folder(place, name))
            if stat is not None:
                found[split] = Part(name, join_folder(place, name), split, stat.version)
        if found:
            return list(found.values())
    raise not_there(storage, path, release, [join_folder(f, n) for f in below for n in named])


def not_there(storage: Storage, path: str, release: str, names: Sequence[str]) -> InputError:
    """The error for a copy whose layout does not fit: what was looked for, and what is there instead."""
    try:
        there = [listing.name for _, listing in zip(range(_FEW), storage.list(path), strict=False)]
    except StorageMissing:
        there = []
    looked = ", ".join(name.removeprefix("./") for name in names)
    holds = f"There is: {', '.join(there)}." if there else "There is nothing."
    return InputError(f"{path!r}: not a copy of {release}. Looked for {looked}. {holds}")


def digest_of(storage: Storage, parts: Sequence[Part]) -> str:
    """16 hex digits over the files' names and contents."""
    listed = [[part.name, _sha256(storage, part.uri)] for part in parts]
    return hashlib.sha256(dump_json(listed)).hexdigest()[:16]


def _sha256(storage: Storage, uri: str) -> str:
    sha256 = hashlib.sha256()
    with storage.open_input(uri) as file:
        while block := file.read(_BLOCK_BYTES):
            sha256.update(block)
    return sha256.hexdigest()
