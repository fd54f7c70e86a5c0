"""Clinical risk misread: replies whose gravest finding is of another level of risk than the reference answer's.

Each level is that of the gravest finding stated as present (`none` where none is), by the lexicon's grades: none, low,
moderate, high, critical. `risk_misread` is the share of replies at another level, `risk_misread.understated` and
`.overstated` below and above. Lower is better. Source: the clinical risk level that MedHallTune asks its judge for
(arXiv 2502.20780), here from the words alone; grades of this project, agreed with no clinical body.
A reply or a reference in which no fact is read ("Yes.") is unscored, as is a failed reply; no row with a reference
answer: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._findings import gravest, read
from mht.knowledge.risk import LEVELS
from mht.predictions import Measured, Parts, Prediction, Unscored, per_row, ratio


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return bool(row.truth)


def _read(row: Prediction) -> Parts | Unscored:
    due, said = read(row.truth, row.modality), read(row.answer, row.modality)
    if not due.facts or not said.facts:
        return Unscored.NOTHING_READ
    off = LEVELS.index(gravest(said)) - LEVELS.index(gravest(due))
    return float(off != 0), float(off < 0), float(off > 0), 1.0


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    units = per_row(rows, asks, _read)
    names = ("risk_misread", "risk_misread.understated", "risk_misread.overstated")
    return tuple(Measured(name, units, ratio(at, 3)) for at, name in enumerate(names))
