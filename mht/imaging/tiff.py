"""The directories of a TIFF file, counted without following a loop."""

from __future__ import annotations

import struct

from mht.imaging.refused import Refused
from mht.records import Reason

_MOST_PAGES = 4096


def count_pages(data: bytes) -> int:
    """How many image directories the file chains, each once: a chain that bites its tail ends there.

    Stops at 4,096. Raises Refused(TRUNCATED) where the first directory lies outside the file.
    """
    order = "<" if data[:1] == b"I" else ">"
    big = data[2:4] in (b"+\x00", b"\x00+")
    word, count, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
    at = 8 if big else 4
    seen: set[int] = set()
    try:
        while len(seen) < _MOST_PAGES:
            (directory,) = struct.unpack_from(order + word, data, at)
            if directory == 0 or directory in seen:
                break
            (entries,) = struct.unpack_from(order + count, data, directory)
            seen.add(directory)
            at = directory + struct.calcsize("<" + count) + entries * entry
    except struct.error:
        if not seen:
            raise Refused(
                Reason.TRUNCATED, "the TIFF ends before its first directory. Fetch it again."
            ) from None
    return len(seen)
