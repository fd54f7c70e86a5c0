"""Polarity agreement: of the rows whose truth says yes or no, the share whose reply says the same.

The truth's word is the row's `polarity`, else what the truth begins with (see `knowledge.polarity`). The reply's is
what it opens with, what it makes of the premise where there is one, or how its first sentence states or denies. Higher
is better. Source: yes-no accuracy as POPE reads it (arXiv 2305.10355), without its rule that whatever has no "no" in it
is a yes; on MedHallTune (arXiv 2502.20780) no other measure without a model follows the judge's accuracy as closely.
Replies that say neither, both, or hedge are unscored in `polarity` and wrong in `polarity.of_all`: who answers only
where it is easy gains by the one and loses by the other. Failed ones are unscored; no such row: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import said
from mht.knowledge.polarity import first_word
from mht.predictions import Measured, Prediction, Unscored, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def truth_of(row: Prediction) -> str | None:
    """The yes or no of the reference answer."""
    return row.polarity or first_word(row.truth)


def asks(row: Prediction) -> bool:
    return truth_of(row) is not None


def score(row: Prediction) -> float | Unscored:
    """1 where the reply says what the truth says, 0 where it says the other."""
    word = said(row)
    return Unscored.UNDECIDED if word is None else float(word == truth_of(row))


def of_all(row: Prediction) -> float:
    """The same, 0 where it says neither."""
    return float(said(row) == truth_of(row))


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (share("polarity", rows, asks, score), share("polarity.of_all", rows, asks, of_all))
