"""What a checkpoint is in storage: pieces of the ranks' files, and MANIFEST.json, which alone makes it complete.

::

    checkpoints/00000120/MANIFEST.json                   names what follows, each with bytes and sha256; written last
    checkpoints/00000120/5f0c…/trainer.json              what the trainer wants to know again
    checkpoints/00000120/5f0c…/parts/0.json              the pieces that rank 0 stored
    checkpoints/00000120/5f0c…/__0_0.distcp.00000        a piece of a file that torch.distributed.checkpoint wrote

Each attempt at a step has a folder of its own below the step's: what an earlier one left, or a process that is thought
dead still writes, is never mixed with it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from mht.artifacts import MANIFEST, dump_json
from mht.errors import IntegrityError, StorageMissing
from mht.model.stored import Stored, read_stored, store
from mht.storage import Storage, join, scheme_of
from mht.storage.failures import as_error, classify
from mht.storage.uris import local_path

FORMAT = "mht-checkpoint/1"
PIECE_BYTES = 64 << 20
"""A file travels in pieces of so many bytes: each is checked, tried again and held in memory on its own."""
_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a local file from `offset` on, and the object that holds them."""

    file: str
    offset: int
    stored: Stored

    def overlaps(self, start: int, end: int) -> bool:
        return start < self.offset + self.stored.bytes and self.offset < end


@dataclass(frozen=True, slots=True)
class Contents:
    """A complete checkpoint as its manifest has it."""

    step: int
    uri: str
    trainer: dict[str, Any]
    pieces: tuple[Piece, ...]


A = TypeVar("A")
B = TypeVar("B")

Span = tuple[str, int, int]
"""A local file's name, first byte and last byte but one."""


def folder_of(root: str, step: int) -> str:
    return join(root, "checkpoints", f"{step:08d}")


def steps_there(storage: Storage, root: str) -> dict[int, bool]:
    """The steps of which there is something in storage, in order, and whether each has a manifest."""
    found: dict[int, bool] = {}
    try:
        for listing in storage.list(join(root, "checkpoints")):
            name, _, rest = listing.name.partition("/")
            if name.isdecimal() and rest:
                found[int(name)] = found.get(int(name), False) or rest == MANIFEST
    except StorageMissing:
        return {}
    return dict(sorted(found.items()))


def upload(
    storage: Storage,
    local: Path,
    uri: str,
    name: tuple[str, int],
    before_piece: Callable[[], None],
    piece_bytes: int = PIECE_BYTES,
) -> Stored:
    """Store each file of a local folder in pieces, then the list of them; the list's record comes back.

    `name` is the attempt and the rank; `before_piece` is called before each piece and may raise.
    """
    attempt, rank = name

    def send(span: Span) -> Piece:
        before_piece()
        file, start, end = span
        data = _local_bytes(local / file, start, end - start)
        return Piece(file, start, store(storage, uri, f"{attempt}/{file}.{start // piece_bytes:05d}", data))

    spans = [span for path in sorted(local.iterdir()) for span in _spans(path, piece_bytes)]
    pieces = _at_once(send, spans)
    before_piece()
    return store(storage, uri, f"{attempt}/parts/{rank}.json", dump_json([asdict(one) for one in pieces]))


def _at_once(work: Callable[[A], B], items: Sequence[A]) -> list[B]:
    """A few at a time, in order; after the first failure none is begun."""
    failed: list[BaseException] = []

    def unless_failed(item: A) -> B:
        if failed:
            raise failed[0]
        try:
            return work(item)
        except BaseException as error:
            failed.append(error)
            raise

    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="checkpoint") as pool:
        waiting = [pool.submit(unless_failed, item) for item in items]
        try:
            return [one.result() for one in waiting]
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _spans(path: Path, piece_bytes: int) -> list[Span]:
    size = path.stat().st_size
    starts = range(0, max(size, 1), piece_bytes)
    return [(path.name, start, min(size, start + piece_bytes)) for start in starts]


def _local_bytes(path: Path, start: int, length: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(length)
    except OSError as error:
        raise as_error(classify(error), str(path), "read for a checkpoint") from error


def complete(
    storage: Storage, uri: str, step: int, attempt: str, parts: Sequence[Stored], trainer: bytes
) -> None:
    """Make a checkpoint of what was stored: its trainer's state, then the manifest."""
    known = store(storage, uri, f"{attempt}/trainer.json", trainer)
    plain = {
        "format": FORMAT,
        "step": step,
        "trainer": asdict(known),
        "parts": [asdict(one) for one in parts],
    }
    storage.write(join(uri, MANIFEST), dump_json(plain | {"ranks": len(parts)}))


def contents(storage: Storage, root: str, step: int) -> Contents:
    """What the manifest names. Raises IntegrityError naming the file that is missing, cut or altered."""
    uri = folder_of(root, step)
    where = join(uri, MANIFEST)
    try:
        plain = _manifest(storage.read(where), step)
        trainer = json.loads(read_stored(storage, uri, Stored(**plain["trainer"])))
        parts = [read_stored(storage, uri, Stored(**part)) for part in plain["parts"]]
        pieces = [_piece(one) for part in parts for one in json.loads(part)]
    except StorageMissing:
        raise IntegrityError(f"{where} is not there") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise IntegrityError(f"{where} is not a checkpoint's manifest ({error})") from None
    return Contents(step, uri, trainer, tuple(pieces))


def _manifest(data: bytes, step: int) -> Mapping[str, Any]:
    plain: Mapping[str, Any] = json.loads(data)
    there = (plain["format"], plain["step"], plain["ranks"])
    if there != (FORMAT, step, len(plain["parts"])):
        raise ValueError(f"format, step and ranks are {there}")
    return plain


def _piece(plain: Mapping[str, Any]) -> Piece:
    name = plain["file"]
    if os.path.basename(name) != name or not name:
        raise ValueError(f"{name!r} is no file's name")
    return Piece(name, int(plain["offset"]), Stored(**plain["stored"]))


def fetch(storage: Storage, uri: str, pieces: Iterable[Piece], spans: Iterable[Span], local: Path) -> None:
    """Bring the pieces that hold the spans into a local folder, each where it stood in its file.

    Raises IntegrityError naming the piece that is missing, cut or altered.
    """
    wanted: dict[str, list[tuple[int, int]]] = {}
    for name, start, end in spans:
        wanted.setdefault(name, []).append((start, end))
    needed = [one for one in pieces if any(one.overlaps(*span) for span in wanted.get(one.file, ()))]

    def bring(piece: Piece) -> None:
        data = read_stored(storage, uri, piece.stored)
        try:
            local.mkdir(exist_ok=True)
            handle = os.open(local / piece.file, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, data, piece.offset)
            finally:
                os.close(handle)
        except OSError as error:
            raise as_error(classify(error), str(local / piece.file), "load a checkpoint") from error

    _at_once(bring, needed)


def remove(storage: Storage, root: str, step: int) -> None:
    """Take a step's folder away, its manifest first, so that it is never half a checkpoint."""
    uri = folder_of(root, step)
    storage.delete(join(uri, MANIFEST))
    storage.delete_prefix(uri)
    if (
        scheme_of(uri) == "file"
    ):  # empty folders, and what a killed process had half written, are in no listing
        shutil.rmtree(local_path(uri), ignore_errors=True)
