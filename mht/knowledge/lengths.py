"""Lengths in a text, each given to the finding that it is of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from mht.knowledge.vocabulary import Match

_SIZE = re.compile(
    r"(?<![\d.])(\d*\.?\d+)(?:\s*(?:mm|cm)?\s*[x×*]\s*(\d*\.?\d+))?(?:\s*(?:mm|cm)?\s*[x×*]\s*(\d*\.?\d+))?"
    r"\s*-?\s*(mm|cm|millimet|centimet)(?![23²³])(?!\s+(?:from|above|below|away|proximal|distal|deep|apart|beyond|off)\b)",
    re.IGNORECASE,
)
_MM = {"m": 1.0, "c": 10.0}
_SIZE_REACH = 40
_JOINED = re.compile(r"\b(?:and|also|with|plus)\b", re.IGNORECASE)
Token = tuple[str, int, int]


@lru_cache(maxsize=64)
def _lengths(caption: str) -> list[tuple[int, int, float]]:
    """Every length in the text as (start, end, largest dimension in mm)."""
    found = []
    for m in _SIZE.finditer(caption):
        numbers = [float(m[i]) for i in (1, 2, 3) if m[i]]
        found.append((m.start(), m.end(), max(numbers) * _MM[m[4][0].lower()]))
    return found


def owned_lengths(
    caption: str, clause: Sequence[Match], found: Sequence[Token], extent: tuple[int, int]
) -> dict[int, float]:
    """The length of each finding of a clause, by its first word: every length goes to the finding nearest to it.

    What stands behind a finding counts as further away where another statement begins in between.
    """
    findings = [m for m in clause if m.kind == "finding"]
    if not findings or "m" not in caption:
        return {}
    start, stop = found[extent[0]][1], found[extent[1] - 1][2]
    owned: dict[int, float] = {}
    for a, b, mm in _lengths(caption):
        if a < start or b > stop:
            continue
        near = [
            (_distance(caption, a, b, found[m.first][1], found[m.last - 1][2]), m.first) for m in findings
        ]
        distance, first = min(near)
        if distance <= _SIZE_REACH:
            owned.setdefault(first, mm)
    return owned


def _distance(caption: str, a: int, b: int, start: int, end: int) -> int:
    before = b <= start
    between = caption[b:start] if before else caption[end:a]
    return len(between) + (_SIZE_REACH // 2 if _JOINED.search(between) else 0)
