"""The size that a compressed frame itself claims, before a decoder makes room for it."""

from __future__ import annotations

import struct

from mht.imaging.refused import Refused
from mht.records import Reason

_J2K_START = b"\xff\x4f\xff\x51"  # SOC, then SIZ
_NO_FRAME = frozenset((0xC4, 0xC8, 0xCC))  # DHT, JPG, DAC: among the start-of-frame codes without being one
_JPEG_LS_FRAME = 0xF7


def size(data: bytes) -> tuple[int, int]:
    """Width and height (px) of a JPEG, JPEG-LS or JPEG 2000 codestream; raises Refused(CORRUPT) without one."""
    try:
        start = data.find(_J2K_START, 0, 4096)  # boxes of a JP2 file may come first
        if start >= 0:
            right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
            return right - left, bottom - top
        if data[:2] == b"\xff\xd8":
            return _frame_size(data)
    except struct.error:
        pass
    raise Refused(Reason.CORRUPT, "a compressed frame does not begin like one.")


def _frame_size(data: bytes) -> tuple[int, int]:
    at = 2
    while True:
        start, marker, length = struct.unpack_from(">BBH", data, at)
        if start != 0xFF:
            raise struct.error
        if marker == 0xFF:  # a fill byte
            at += 1
        elif (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME) or marker == _JPEG_LS_FRAME:
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        else:
            at += 2 + length
