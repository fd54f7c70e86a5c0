"""Do the twins look alike? Length alone must not tell the states apart."""

from __future__ import annotations

from mht.records import Pair, Reading, State

MAX_WORDS_APART = 8


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`unbalanced_twin` where the spans differ by so many words that the questions are not twins any more."""
    if pair.state != State.FAITHFUL:
        return None
    apart = abs(len(pair.span.split()) - len(pair.counterpart.split()))
    return "unbalanced_twin" if apart > MAX_WORDS_APART else None
