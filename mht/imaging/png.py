"""The chunks of a PNG file: whether it is whole and its checksums hold; Pillow asks only in part."""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from mht.imaging.refused import Refused
from mht.records import Reason

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # by colour type
# the seven passes of an interlaced file: first column and row, then the steps
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_BLOCK = 1 << 20


def check_chunks(data: bytes) -> None:
    """Walks the chunks to IEND; what lies behind it is no part of the image.

    Raises Refused: TRUNCATED where the data end first, CORRUPT for a wrong checksum in a chunk that the
    pixels depend on. Pillow skips the checksum of IDAT.
    """
    at = len(SIGNATURE)
    view = memoryview(data)
    while True:
        head = data[at : at + 8]
        length = int.from_bytes(head[:4], "big")
        end = at + 12 + length
        if len(head) < 8 or end > len(data):
            raise Refused(Reason.TRUNCATED, "the PNG ends before its IEND chunk. Fetch it again.")
        critical = not head[4] & 0x20  # an upper-case first letter
        if critical and zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(data[end - 4 : end], "big"):
            raise Refused(Reason.CORRUPT, "a PNG chunk does not match its checksum. Fetch it again.")
        if head[4:] == b"IEND":
            return
        at = end


def check_rows(data: bytes) -> None:
    """Raises Refused(TRUNCATED) where the compressed data hold fewer rows than the header announces.

    Pillow leaves such rows black. It is called where the last row is black, and inflates the file again.
    """
    width, height = header_size(data)
    bits = data[24] * _SAMPLES.get(data[25], 1)
    passes = _ADAM7 if data[28] else ((0, 0, 1, 1),)
    need = 0
    for left, top, step_x, step_y in passes:
        columns, rows = -(-(width - left) // step_x), -(-(height - top) // step_y)
        if columns > 0 and rows > 0:
            need += rows * (1 + -(-columns * bits // 8))
    inflater = zlib.decompressobj()
    for compressed in _compressed(data):
        while compressed and need > 0:
            need -= len(inflater.decompress(compressed, _BLOCK))
            compressed = inflater.unconsumed_tail
    if need > 0:
        raise Refused(Reason.TRUNCATED, "the PNG ends before its last row. Fetch it again.")


def _compressed(data: bytes) -> Iterator[bytes]:
    at = len(SIGNATURE)
    while data[at + 4 : at + 8] not in (b"IEND", b""):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == b"IDAT":
            yield data[at + 8 : at + 8 + length]
        at += 12 + length


def header_size(data: bytes) -> tuple[int, int]:
    """Width and height as IHDR says; raises Refused(TRUNCATED) where it is not all there."""
    if len(data) < 24:
        raise Refused(Reason.TRUNCATED, "the PNG ends within its header. Fetch it again.")
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")
