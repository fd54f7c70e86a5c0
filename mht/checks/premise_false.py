"""Is the true premise true? It is read like a caption and must be stated by the facts.

What is read is the premise, not the question around it: a test holds that no template adds to it or takes away.
"""

from __future__ import annotations

from mht.checks._premise import topic
from mht.knowledge.claims import claims
from mht.knowledge.slots import believed
from mht.knowledge.truth import holds
from mht.records import Pair, Reading, State


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`premise_false` where a faithful premise claims more than the facts state."""
    if pair.state != State.FAITHFUL:
        return None
    about = topic(pair)
    if about is not None:
        return None if believed(reading, about) == {pair.span} else "premise_false"
    claimed = claims(pair.premise)
    return None if claimed and all(holds(claim, reading) for claim in claimed) else "premise_false"
