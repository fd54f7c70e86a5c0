"""A seekable file over an object too large to hold in memory."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from mht.storage.objects import ReadRequest, Stat


class RangedFile(io.RawIOBase):
    """Reads ranges of one version of an object; an object replaced meanwhile raises StorageError."""

    def __init__(self, read: Callable[[ReadRequest], bytes], uri: str, stat: Stat) -> None:
        self._read = read
        self._uri = uri
        self._stat = stat
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._stat.size_bytes}[whence]
        self._at = max(0, start + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self._stat.size_bytes - self._at)
        if length <= 0:
            return 0
        stat = self._stat
        data = self._read(ReadRequest(self._uri, self._at, length, None, stat.size_bytes, stat.version))
        buffer[:length] = data
        self._at += length
        return length
