"""Yes-no accuracy, precision, recall, F1 and the share of yes, over the rows whose truth says yes or no.

`pope` is the accuracy; precision, recall and F1 are of "yes", the finding that is there. Higher is better, for
`yes_ratio` neither is: it says which way a model leans. Source: POPE (arXiv 2305.10355). Other than there, a reply that
says neither is unscored, and not a "no" of its own or a "yes" for want of one; in `pope.of_all`, the accuracy over all
replies, it is wrong.
Undecided and failed replies are unscored; no such row, or nothing to divide by: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import said
from mht.evaluation.metrics.polarity import asks, of_all, truth_of
from mht.knowledge.polarity import YES
from mht.predictions import Array, Measured, Parts, Prediction, Unscored, divided, per_row, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _read(row: Prediction) -> Parts | Unscored:
    """True positive, false positive, true negative, false negative: one of them is 1."""
    word = said(row)
    if word is None:
        return Unscored.UNDECIDED
    due, yes = truth_of(row) == YES, word == YES
    return float(due and yes), float(not due and yes), float(not due and not yes), float(due and not yes)


def accuracy(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided(sums[..., 0] + sums[..., 2], sums.sum(axis=-1))


def precision(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided(sums[..., 0], sums[..., 0] + sums[..., 1])


def recall(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided(sums[..., 0], sums[..., 0] + sums[..., 3])


def f1(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided(2 * sums[..., 0], 2 * sums[..., 0] + sums[..., 1] + sums[..., 3])


def yes_ratio(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided(sums[..., 0] + sums[..., 1], np.asarray(sums.sum(axis=-1)))


FIGURES: dict[str, Callable[[Array, Array], Array]] = {
    "pope": accuracy,
    "pope.precision": precision,
    "pope.recall": recall,
    "pope.f1": f1,
    "pope.yes_ratio": yes_ratio,
}


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    units = per_row(rows, asks, _read)
    found = tuple(Measured(name, units, of) for name, of in FIGURES.items())
    return (*found, share("pope.of_all", rows, asks, of_all))
