"""Lengths in one unit, so that 1.2 cm and 12 mm are the same words to whatever compares two texts."""

from __future__ import annotations

from collections.abc import Sequence

from mht.evaluation.judges import _lists as lists

MM = "mm"
_FACTORS = {
    MM: 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "centimeter": 10.0, "centimetre": 10.0,
}  # fmt: skip
_JOINS = frozenset({"x", "×", "by", "to", "and", *"-–"})


def number(word: str) -> float | None:
    """`12`, `1.2` or `twelve`; None for any other word."""
    try:
        return float(lists.NUMBERS.get(word, word)) if word in lists.NUMBERS or word[:1].isdigit() else None
    except ValueError:
        return None


def in_mm(words: Sequence[str]) -> tuple[str, ...]:
    """The words with each length in mm, as many as before: `3 x 4 cm` is `30 x 40 mm`, `two centimetres` `20 mm`."""
    found = list(words)
    for i, word in enumerate(words):
        factor = _FACTORS.get(word)
        at = i - 2 if words[i - 1 : i] == ("-",) else i - 1
        if factor is None or at < 0 or number(words[at]) is None:
            continue
        found[i] = MM
        while True:
            length = number(words[at])
            assert length is not None
            found[at] = f"{factor * length:.6g}"
            if at < 2 or words[at - 1] not in _JOINS or number(words[at - 2]) is None:
                break
            at -= 2
    return tuple(found)
