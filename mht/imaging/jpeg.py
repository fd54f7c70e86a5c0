"""The markers of a JPEG file: whether it is whole, which its decoder does not say.

libjpeg fills what is missing with grey and carries on where data end early; Pillow does not pass its warning
on. So the file is walked here, marker by marker, before it is decoded.
"""

from __future__ import annotations

import re

from mht.imaging.refused import Refused
from mht.records import Reason

_SOS, _EOI = 0xDA, 0xD9
_BARE = frozenset((0x01, *range(0xD0, 0xD8)))  # markers without a length: TEM and the restarts
# what may follow a scan: DHT, DAC, EOI, SOS, DQT, DNL, DRI, APPn, COM
_AFTER_SCAN = frozenset((0xC4, 0xCC, _EOI, _SOS, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE))
# the end of entropy-coded data: FF with neither a stuffed zero, a restart nor a fill byte behind it
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def find_end(data: bytes) -> int:
    """The offset just past the end-of-image marker; what lies behind it is no part of the image.

    Raises Refused: TRUNCATED where the data end before the marker (also where only the marker is missing, for
    then nothing says how much more is), CORRUPT where a marker stands that cannot.
    """
    at = 2
    scanned = False
    while True:
        at = _skip_fill(data, at)
        marker = data[at]
        at += 1
        if marker == _EOI:
            if not scanned:
                raise Refused(Reason.TRUNCATED, "the JPEG ends before its first scan. Fetch it again.")
            return at
        if marker in _BARE:
            continue
        if scanned and marker not in _AFTER_SCAN:
            raise Refused(Reason.CORRUPT, "the JPEG's scan holds a marker that cannot stand there.")
        at += _length(data, at)
        if marker == _SOS:
            scanned = True
            found = _MARKER.search(data, at)
            if found is None:
                raise _cut()
            at = found.start()


def _skip_fill(data: bytes, at: int) -> int:
    """The offset of the marker's code, which any number of FF bytes may precede."""
    if at < len(data) and data[at] != 0xFF:
        raise Refused(Reason.CORRUPT, "the JPEG's segments do not follow one another.")
    while at < len(data) and data[at] == 0xFF:
        at += 1
    if at >= len(data):
        raise _cut()
    return at


def _length(data: bytes, at: int) -> int:
    length = int.from_bytes(data[at : at + 2], "big")
    if at + max(length, 2) > len(data):
        raise _cut()
    if length < 2:
        raise Refused(Reason.CORRUPT, "a JPEG segment has no length.")
    return length


def _cut() -> Refused:
    return Refused(Reason.TRUNCATED, "the JPEG ends before its end-of-image marker. Fetch it again.")
