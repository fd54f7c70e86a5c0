"""False denials: of the rows whose true premise is a finding that is there, the share whose reply denies it.

The false negatives of a reader. Asked of faithful rows whose premise states a finding as present, those about the kind
of image left out. Lower is better. Source: the "no" of a present object in POPE (arXiv 2305.10355), asked of findings
and of every form of question (see `_stance`).
Undecided and failed replies are unscored; no such row: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import Stance, stance
from mht.knowledge.claims import claims
from mht.knowledge.lexicon import is_study
from mht.knowledge.presence import PRESENT
from mht.predictions import Measured, Prediction, Unscored, share
from mht.records import State


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    if row.state != State.FAITHFUL:
        return False
    stated = claims(row.premise or row.question)
    return any(fact.presence == PRESENT and not is_study(fact.finding) for fact in stated)


def score(row: Prediction) -> float | Unscored:
    """1 where the reply denies what is there, else 0."""
    taken = stance(row)
    return Unscored.UNDECIDED if taken is None else float(taken is not Stance.ACCEPTS)


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (share("false_denial", rows, asks, score),)
