"""Does the answer agree with its state, and state nothing that the facts do not?"""

from __future__ import annotations

import re

from mht.knowledge.claims import claims, mentioned
from mht.knowledge.lexicon import is_study
from mht.knowledge.slots import PRESENCE
from mht.knowledge.truth import holds, possible
from mht.records import Pair, Reading, State

_VERDICT = re.compile(r"(?:yes|no)[,.]", re.IGNORECASE)


def judge(pair: Pair, twin: Pair, reading: Reading) -> str | None:
    """`answer_contradicts` for a yes where no is due, or for an answer that states a finding the facts do not."""
    word = pair.answer.split(maxsplit=1)[0].strip(",.").casefold() if pair.answer.strip() else ""
    if pair.polarity is not None and word != pair.polarity:
        return "answer_contradicts"
    if (
        pair.polarity is None
        and _VERDICT.match(pair.answer)
        and (word == "yes") != (pair.state == State.FAITHFUL)
    ):
        return "answer_contradicts"
    if pair.state == State.FAITHFUL:
        return None if _true(pair, reading) else "answer_contradicts"
    return None


def _true(pair: Pair, reading: Reading) -> bool:
    """Whether the answer to a true premise states nothing that the facts do not."""
    if pair.slot == PRESENCE:
        return all(holds(claim, reading) for claim in claims(pair.answer) if not is_study(claim.finding))
    return all(possible(finding, reading) for finding in mentioned(pair.answer))
