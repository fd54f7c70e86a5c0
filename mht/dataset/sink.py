"""Where an export goes: files written with their sha256, and EXPORT.json last, which alone makes it whole.

While it is being written, `_EXPORTING` names what is being exported: the same export goes over it again, another one
is refused.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from mht.artifacts import FileRecord, dump_json
from mht.errors import RunConflict, StorageMissing
from mht.storage import Storage, join

EXPORT = "EXPORT.json"
_CLAIM = "_EXPORTING"
# What is larger is mapped from the disk, and must be more than a store takes in one piece: parts of it are bytes.
_IN_MEMORY_BYTES = 64 << 20


class Sink:
    """The output of one export, a context manager. `close` writes EXPORT.json and takes the claim away."""

    def __init__(self, storage: Storage, root: str, identity: Mapping[str, Any]) -> None:
        self._storage = storage
        self._root = root
        self._identity = dump_json(dict(identity))
        self._files: list[FileRecord] = []
        self._spools = ExitStack()

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *_: object) -> None:
        self._spools.close()

    def claim(self) -> None:
        """Raises RunConflict where the output holds anything but a part of this very export."""
        if any(True for _ in self._there()) and self._claimed() != self._identity:
            raise RunConflict(
                f"{self._root} at export: something is there already. Choose another output, or remove it first."
            )
        self._storage.write(join(self._root, _CLAIM), self._identity)

    def _there(self) -> Sequence[str]:
        try:
            return [next(iter(self._storage.list(self._root))).name]
        except (StorageMissing, StopIteration):
            return []

    def _claimed(self) -> bytes | None:
        try:
            return self._storage.read(join(self._root, _CLAIM))
        except StorageMissing:
            return None

    def write(self, path: str, data: bytes, rows: int = 0) -> None:
        """A file whole or not at all, over one that is there."""
        self._storage.write(join(self._root, path), data)
        self._files.append(FileRecord(path, rows, len(data), hashlib.sha256(data).hexdigest()))

    def write_folder(self, folder: str, members: Mapping[str, bytes]) -> None:
        """Many small files at a time. The folder is one record: its sha256 is over each name and sha256, sorted."""
        with ThreadPoolExecutor(self._storage.params.concurrency, thread_name_prefix="export") as pool:
            done = [
                pool.submit(self._storage.write, join(self._root, folder, name), data)
                for name, data in members.items()
            ]
            for one in done:
                one.result()
        digest = hashlib.sha256()
        for name, data in sorted(members.items()):
            digest.update(f"{name} {hashlib.sha256(data).hexdigest()}\n".encode())
        size = sum(map(len, members.values()))
        self._files.append(FileRecord(f"{folder}/", len(members), size, digest.hexdigest()))

    def lines(self, path: str, head: bytes = b"", between: bytes = b"", tail: bytes = b"") -> Lines:
        """A text file that grows a row at a time, on disk where it is large, and is written whole at its end."""
        spool = tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES)  # noqa: SIM115 - closed with the sink
        self._spools.callback(spool.close)
        return Lines(self, path, spool, (head, between, tail))

    def close(self, summary: Mapping[str, Any]) -> None:
        files = [asdict(record) for record in sorted(self._files, key=lambda record: record.path)]
        plain = {"export": json.loads(self._identity), "files": files, **summary}
        self._storage.write(join(self._root, EXPORT), dump_json(plain))
        self._storage.delete(join(self._root, _CLAIM))


class Lines:
    """Rows of JSON with what stands before, between and behind them."""

    def __init__(
        self,
        sink: Sink,
        path: str,
        spool: tempfile.SpooledTemporaryFile[bytes],
        around: tuple[bytes, bytes, bytes],
    ) -> None:
        self._sink = sink
        self._path = path
        head, self._between, self._tail = around
        self._rows = 0
        self._spool = spool
        self._spool.write(head)

    def add(self, row: Mapping[str, Any]) -> None:
        if self._rows:
            self._spool.write(self._between)
        self._spool.write(json.dumps(row, ensure_ascii=False).encode())
        self._rows += 1

    def close(self) -> None:
        with self._spool as spool:
            spool.write(self._tail)
            if spool.tell() <= _IN_MEMORY_BYTES:
                spool.seek(0)
                self._sink.write(self._path, spool.read(), self._rows)
                return
            spool.flush()
            # A mapped file is written as bytes are, without being in memory as a whole.
            with mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                self._sink.write(self._path, whole, self._rows)  # type: ignore[arg-type]
