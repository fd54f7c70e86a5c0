"""Files in storage that are known by length and sha256: written with a record, read only when they match it."""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path

from mht.errors import IntegrityError, StorageMissing
from mht.storage import Storage, join

_IN_MEMORY_BYTES = 64 << 20
"""What is larger goes in and out in parts; not less than a store takes in one piece, for parts of a map are bytes."""


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


def store_file(storage: Storage, root: str, path: str, local: Path) -> Stored:
    """Store a local file; a large one is mapped, not read into memory."""
    if local.stat().st_size <= _IN_MEMORY_BYTES:
        return store(storage, root, path, local.read_bytes())
    with local.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        return store(storage, root, path, whole)  # type: ignore[arg-type]


def fetch_file(storage: Storage, root: str, record: Stored, folder: Path) -> None:
    """Bring an object into a local folder, under its own path. Raises IntegrityError as `read_stored` does."""
    target = folder / record.path
    target.parent.mkdir(parents=True, exist_ok=True)
    if record.bytes <= _IN_MEMORY_BYTES:
        target.write_bytes(read_stored(storage, root, record))
        return
    uri = join(root, record.path)
    if storage.size(uri) != record.bytes:
        raise IntegrityError(f"{uri} has not the {record.bytes:,} bytes of its record")
    digest = hashlib.sha256()
    with target.open("wb") as file:
        for start in range(0, record.bytes, _IN_MEMORY_BYTES):
            data = storage.read_range(uri, start, min(_IN_MEMORY_BYTES, record.bytes - start))
            digest.update(data)
            file.write(data)
    if digest.hexdigest() != record.sha256:
        raise IntegrityError(f"{uri} was altered: its sha256 is not the one in its record")
