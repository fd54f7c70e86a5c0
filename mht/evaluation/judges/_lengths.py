"""Lengths in one unit, so that 1.2 cm and 12 mm are the same words to whatever compares two texts."""

from __future__ import annotations

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


def before(words: tuple[str, ...], unit: int) -> int:
    """Where the number of a unit would stand, behind a hyphen or not; below 0 for nowhere."""
    return unit - 2 if words[unit - 1 : unit] == ("-",) else unit - 1


def in_mm(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words with each length in mm, as many as before: `3 x 4 cm` is `30 x 40 mm`, `two centimetres` `20 mm`."""
    found = list(words)
    for i, word in enumerate(words):
        factor, at = _FACTORS.get(word), before(words, i)
        while factor is not None and at >= 0 and (length := number(words[at])) is not None:
            found[i], found[at] = MM, f"{factor * length:.6g}"
            at = at - 2 if words[at - 1] in _JOINS else -1
    return tuple(found)
