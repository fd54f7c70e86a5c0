"""Visual question answering by words: closed questions by accuracy, open ones by exact match and recall of words.

Closed and open are the benchmark's own words (the row's `kind`); where it has none a reference of yes or no is closed.
`vqa.closed` is the accuracy over all closed rows: of a yes or no by what the reply says (see `polarity`), of another
reference by its words, which must stand in the reply in a row, neither denied nor as one of two (`left or right`); a
reply that says neither is wrong. `vqa.open_exact` is the share of open rows whose reply equals the reference,
`vqa.open_recall` the mean share of the reference's words that the reply has; recall can be had by saying a great deal.
`vqa` and `vqa.f1` are exact match and mean F1 of words over all rows with a reference. Texts are normalised first (see
`_words`). Higher is better. Source: the VQA evaluation (arXiv 1505.00468); accuracy over closed questions, recall over
open ones and F1 as LLaVA-Med counts them (arXiv 2306.00890), which of closed questions takes only yes and no for right.
Failed replies are unscored; no row with a reference: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._options import names
from mht.evaluation.metrics._stance import said
from mht.evaluation.metrics._words import normalised, overlap
from mht.evaluation.metrics.polarity import truth_of
from mht.predictions import Measured, Prediction, share

CLOSED, OPEN = "closed", "open"


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return bool(normalised(row.truth))


def is_closed(row: Prediction) -> bool:
    return asks(row) and _kind(row) == CLOSED


def is_open(row: Prediction) -> bool:
    return asks(row) and _kind(row) == OPEN


def _kind(row: Prediction) -> str:
    return row.kind or (OPEN if truth_of(row) is None else CLOSED)


def closed(row: Prediction) -> float:
    """1 where the reply says what the reference says, else 0."""
    due = truth_of(row)
    if due is not None:
        return float(said(row) == due)
    return float(bool(exact(row)) or names(row.answer, row.truth))


def exact(row: Prediction) -> float:
    return float(normalised(row.answer) == normalised(row.truth))


def f1(row: Prediction) -> float:
    return overlap(normalised(row.answer), normalised(row.truth))[0]


def recall(row: Prediction) -> float:
    return overlap(normalised(row.answer), normalised(row.truth))[1]


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (
        share("vqa", rows, asks, exact),
        share("vqa.f1", rows, asks, f1),
        share("vqa.closed", rows, is_closed, closed),
        share("vqa.open_exact", rows, is_open, exact),
        share("vqa.open_recall", rows, is_open, recall),
    )
