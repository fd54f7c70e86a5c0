"""Over-confidence in words: of the replies that are wrong, the share without a word of doubt.

Wrong is a reply that takes a false premise for true or a true one for false (`_stance`), or, where a row has no state,
says yes for no. `over_confidence.all` is wrong and without doubt, of all replies. Lower is better. Source: the false
confidence test of Med-HALT (arXiv 2307.15343) and confidence in words after Lin et al. (arXiv 2205.14334); for
confidence in numbers see `calibration`.
Undecided and failed replies are unscored; no row with a state or a polarity, or no wrong one: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import is_right, said
from mht.evaluation.metrics.polarity import truth_of
from mht.knowledge.polarity import hedges
from mht.predictions import Measured, Parts, Prediction, Unscored, per_row, ratio


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return row.state is not None or truth_of(row) is not None


def _right(row: Prediction) -> bool | None:
    if row.state is not None:
        return is_right(row)
    due, word = truth_of(row), said(row)
    return None if due is None or word is None else word == due


def _read(row: Prediction) -> Parts | Unscored:
    right = _right(row)
    if right is None:
        return Unscored.UNDECIDED
    return float(not right and not hedges(row.answer)), float(not right), 1.0


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    units = per_row(rows, asks, _read)
    return (
        Measured("over_confidence", units, ratio(0, 1)),
        Measured("over_confidence.all", units, ratio(0, 2)),
    )
