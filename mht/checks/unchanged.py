"""Is the false question really another one? An edit that changes nothing would carry the wrong label."""

from __future__ import annotations

from mht.records import Pair, Reading


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`unchanged` where the span or the whole question is the same in both states, letter case aside."""
    if pair.span.casefold() == pair.counterpart.casefold():
        return "unchanged"
    return "unchanged" if pair.question.casefold() == twin.question.casefold() else None
