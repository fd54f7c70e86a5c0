"""Files in storage that are known by length and sha256: written with a record, read only when they match it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from mht.errors import IntegrityError, StorageMissing
from mht.storage import Storage, join


@dataclass(frozen=True, slots=True)
class Stored:
    """An object: its path below the folder that it belongs to, bytes and sha256 of its content."""

    path: str
    bytes: int
    sha256: str


def store(storage: Storage, root: str, path: str, data: bytes) -> Stored:
    """Write over what is there, and say what was written. `data` may be a mapped file."""
    storage.write(join(root, path), data)
    return Stored(path, len(data), hashlib.sha256(data).hexdigest())


def read_stored(storage: Storage, root: str, record: Stored) -> bytes:
    """The object's bytes. Raises IntegrityError naming it when it is missing, cut or altered."""
    uri = join(root, record.path)
    try:
        data = storage.read(uri)
    except StorageMissing:
        raise IntegrityError(f"{uri} is named in the manifest and not there") from None
    if len(data) != record.bytes:
        raise IntegrityError(f"{uri} has {len(data):,} bytes, its record says {record.bytes:,}")
    if hashlib.sha256(data).hexdigest() != record.sha256:
        raise IntegrityError(f"{uri} was altered: its sha256 is not the one in its record")
    return data
