"""Is the pair well formed? Spans where they are said to be, one sentence or two, no template left open."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mht.records import Pair, Reading

_SLIPS = ("{", "}", "None", "  ", " ,", " .", " ?")
_MAX_CHARS = 500
_SPOKEN_WITH_AN = ("mr",)  # an MR image
_SPOKEN_WITH_A = ("u", "eu", "one")  # a unilateral finding


def _broken(text: str) -> bool:
    if len(text) > _MAX_CHARS or text != text.strip() or any(slip in text for slip in _SLIPS):
        return True
    words = text.lower().split()
    return not words or _stumbles(words)


def _stumbles(words: Sequence[str]) -> bool:
    """A word said twice, or the wrong article."""
    for word, after in pairwise(words):
        if word == after:
            return True
        if word in ("a", "an"):
            vowel = after[0] in "aeiou"
            spoken = after in _SPOKEN_WITH_AN or (vowel and not after.startswith(_SPOKEN_WITH_A))
            if after[0].isalpha() and (word == "an") != spoken and not after.startswith(_SPOKEN_WITH_A):
                return True
    return False


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`ill_formed` for a span that does not fit its text or its twin, or for a text with a slip of the template."""
    if pair.question[pair.span_start : pair.span_end] != pair.span or not pair.question.endswith(("?", ".")):
        return "ill_formed"
    other = pair.question[: pair.span_start] + pair.counterpart + pair.question[pair.span_end :]
    if other != twin.question or (pair.twin_id, pair.form) != (twin.twin_id, twin.form):
        return "ill_formed"
    return "ill_formed" if any(map(_broken, (pair.question, pair.answer, pair.rejected))) else None
