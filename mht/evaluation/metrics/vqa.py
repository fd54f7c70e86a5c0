"""Visual question answering by words: exact match, F1 and recall of words.

Both texts are normalised first (see `_words`). `vqa` is the share of replies that equal the reference answer, `vqa.f1`
the mean F1 of words, over all rows with a reference; `vqa.recall` the mean recall of words over open questions, those
whose reference is not a yes or no. Higher is better, and recall can be had by saying a great deal. Source: the VQA
evaluation (arXiv 1505.00468), recall and F1 as LLaVA-Med counts them (arXiv 2306.00890).
Failed replies are unscored; no row with a reference: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._words import normalised, overlap
from mht.evaluation.metrics.polarity import truth_of
from mht.predictions import Measured, Prediction, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return bool(normalised(row.truth))


def is_open(row: Prediction) -> bool:
    return asks(row) and truth_of(row) is None


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
        share("vqa.recall", rows, is_open, recall),
    )
