"""False premises accepted: of the rows whose premise is false of the image, the share whose reply takes it for true.

Works for every form of question (see `_stance`): by the reply's yes, no or verdict first, else by its facts against the
premise's. Another false option of a choice accepts something false, but not the premise: it counts as not accepted.
Lower is better. Source: the misleading questions of MedHallTune (arXiv 2502.20780) and the false-confidence tests of
Med-HALT (arXiv 2307.15343); counted here from the words, without a judge.
Undecided and failed replies are unscored; no such row: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import Stance, stance
from mht.predictions import Measured, Prediction, Unscored, share
from mht.records import State


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return row.state == State.HALLUCINATED


def score(row: Prediction) -> float | Unscored:
    """1 where the reply takes the false premise for true, else 0."""
    taken = stance(row)
    return Unscored.UNDECIDED if taken is None else float(taken is Stance.ACCEPTS)


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (share("false_premise", rows, asks, score),)
