"""Is the pair well formed? Spans where they are said to be, one sentence or two, no template left open."""

from __future__ import annotations

import re
from operator import eq

from mht.records import Pair, Reading

_BROKEN = re.compile(r"[{}]|(?-i:\bNone\b)|\s\s|\s[,.?]|\ba [aeio]\w|\ban (?!MR )[^aeiou\W]", re.IGNORECASE)
_MAX_CHARS = 400


def _broken(text: str) -> bool:
    words = text.lower().split()
    return (
        not words
        or len(text) > _MAX_CHARS
        or text != text.strip()
        or any(map(eq, words, words[1:]))
        or _BROKEN.search(text) is not None
    )


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`ill_formed` for a span that does not fit its text or its twin, or for a text with a slip of the template."""
    if pair.question[pair.span_start : pair.span_end] != pair.span or not pair.question.endswith(("?", ".")):
        return "ill_formed"
    other = pair.question[: pair.span_start] + pair.counterpart + pair.question[pair.span_end :]
    if other != twin.question or (pair.twin_id, pair.form) != (twin.twin_id, twin.form):
        return "ill_formed"
    return "ill_formed" if _broken(pair.question) or _broken(pair.answer) else None
