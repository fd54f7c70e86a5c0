"""Is the false premise false? The question is read like a caption and held against the facts."""

from __future__ import annotations

from mht.knowledge.claims import claims, mentioned
from mht.knowledge.truth import may_hold, possible
from mht.records import Pair, Reading, State


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`premise_true` where the facts state, imply or leave open what a hallucinated question claims.

    Synonyms, kinds of a finding and bilateral findings count; a question that cannot be read is `premise_unread`.
    """
    if pair.state != State.HALLUCINATED:
        return None
    if pair.slot == "finding" and (findings := mentioned(pair.question)):
        return "premise_true" if any(possible(finding, reading) for finding in findings) else None
    claimed = claims(pair.question)
    if pair.slot == "finding":
        return "premise_true" if any(possible(claim.finding, reading) for claim in claimed) else None
    if not claimed:
        return "premise_unread"
    open_ = any(may_hold(claim, fact) for claim in claimed for fact in reading.facts)
    return "premise_true" if open_ else None
