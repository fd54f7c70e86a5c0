"""Is enough known of the image to call a finding absent that nobody mentions?"""

from __future__ import annotations

from mht.knowledge.slots import FINDING
from mht.records import Pair, Reading, State

MIN_FACTS, MIN_WORDS = 2, 6


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`too_little_known` where a caption of few words or one fact is silent on the false finding.

    Silence is evidence only in a text that would have spoken: four words of caption deny nothing.
    """
    if (
        pair.slot != FINDING
        or pair.state != State.HALLUCINATED
        or not pair.evidence.endswith("is not mentioned")
    ):
        return None
    return "too_little_known" if len(reading.facts) < MIN_FACTS or _words(reading) < MIN_WORDS else None


def _words(reading: Reading) -> int:
    return len(reading.caption.split())
