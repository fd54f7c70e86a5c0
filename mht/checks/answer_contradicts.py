"""Does the answer agree with its state, and state nothing that the facts do not?"""

from __future__ import annotations

from mht.knowledge.claims import mentioned
from mht.knowledge.truth import possible
from mht.records import Pair, Reading, State


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`answer_contradicts` for a yes where no is due, or for an answer that states a finding the facts do not."""
    word = pair.answer.split(maxsplit=1)[0].strip(",.").casefold() if pair.answer.strip() else ""
    if pair.polarity is not None and word != pair.polarity:
        return "answer_contradicts"
    if pair.polarity is None and word in ("yes", "no") and (word == "yes") != (pair.state == State.FAITHFUL):
        return "answer_contradicts"
    if pair.state == State.FAITHFUL:
        stated = mentioned(pair.answer)
        return None if all(possible(finding, reading) for finding in stated) else "answer_contradicts"
    return None
