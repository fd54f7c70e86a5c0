"""Is the false premise false? It is read like a caption and held against the facts; see `premise_false`."""

from __future__ import annotations

from mht.checks._premise import topic
from mht.knowledge.claims import claims, mentioned
from mht.knowledge.presence import ABSENT
from mht.knowledge.slots import FINDING, believed
from mht.knowledge.truth import may_hold, possible
from mht.records import Fact, Pair, Reading, State


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`premise_true` where the facts state, imply or leave open what a hallucinated premise claims.

    Synonyms, kinds of a finding and bilateral findings count; a premise that cannot be read is `premise_unread`.
    """
    if pair.state != State.HALLUCINATED:
        return None
    about = topic(pair)
    if about is not None:
        return "premise_true" if pair.span in believed(reading, about) else None
    if pair.slot == FINDING and (findings := mentioned(pair.premise)):
        return "premise_true" if any(possible(finding, reading) for finding in findings) else None
    claimed = claims(pair.premise)
    if not claimed:
        return "premise_unread"
    return "premise_true" if any(_open(claim, reading, pair.slot) for claim in claimed) else None


def _open(claim: Fact, reading: Reading, slot: str) -> bool:
    """Whether the facts leave room for a claim."""
    if claim.presence == ABSENT:
        return not any(claim.finding == fact.finding and fact.presence != ABSENT for fact in reading.facts)
    if slot in (FINDING, "presence"):
        return possible(claim.finding, reading)
    return any(may_hold(claim, fact, reading) for fact in reading.facts)
