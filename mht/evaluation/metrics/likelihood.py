"""Yes or no by the model's own probabilities: of the rows whose truth says one of them, how often it is the likelier.

What a reply says in words does not count, so a model that rambles is not at a loss; equal chances are a yes.
`likelihood.auroc` is the chance that a row whose truth is yes has more probability of yes than one whose truth is no,
equals counting half: whether the model tells them apart at all, wherever it draws the line. .5 is by chance. Higher is
better. Source: the two answers' likelihoods as in multiple choice without generation (arXiv 2005.14165); the area under
the ROC curve as Hanley and McNeil's (Radiology 143, 1982).
Rows without a probability are unscored, as are failed replies; no row whose truth says yes or no: no value, n = 0;
rows of one truth alone: no area.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._likelihood import asks, confidence
from mht.evaluation.metrics.polarity import truth_of
from mht.knowledge.polarity import YES
from mht.predictions import Array, Measured, Parts, Prediction, Unscored, divided, per_row, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def score(row: Prediction) -> float | Unscored:
    got = confidence(row)
    return got if isinstance(got, Unscored) else 1 - got[1]


def _of_yes(row: Prediction) -> Parts | Unscored:
    """(probability of yes, 1 where that is the truth)."""
    if row.likelihood_yes is None:
        return Unscored.NO_LIKELIHOOD
    return row.likelihood_yes, float(truth_of(row) == YES)


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (
        share("likelihood", rows, asks, score),
        Measured("likelihood.auroc", per_row(rows, asks, _of_yes), auroc, additive=False),
    )


def auroc(parts: Array, weights: Array) -> Array:
    """Over groups of equal probability: yes in it, times no below it and half of those in it."""
    order = np.argsort(parts[:, 0], kind="stable")
    likely, yes, weights = parts[order, 0], parts[order, 1], weights[..., order]
    starts = np.flatnonzero(np.r_[True, likely[1:] != likely[:-1]])
    of_yes = np.add.reduceat(weights * yes, starts, axis=-1)
    of_no = np.add.reduceat(weights * (1 - yes), starts, axis=-1)
    below = of_no.cumsum(axis=-1) - of_no / 2
    return divided((of_yes * below).sum(axis=-1), of_yes.sum(axis=-1) * of_no.sum(axis=-1))
