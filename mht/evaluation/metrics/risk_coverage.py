"""Risk and coverage: what a model would get wrong if it answered only where it is most confident.

`risk_coverage` is the area under the risk-coverage curve: the mean, over k = 1 … n, of the share of errors among the k
most confident rows. `risk_coverage.at_80` is that share at 80 % of the rows. Equally confident rows stand in for one
another: each counts their mean error. Lower is better. Source: Geifman and El-Yaniv, Selective Classification for Deep
Neural Networks (arXiv 1705.08500), the area after Geifman et al. (arXiv 1805.08206).
Rows without a probability are unscored, as are failed replies; no row whose truth says yes or no: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._likelihood import asks, confidence
from mht.predictions import Array, Measured, Prediction, divided, per_row

_COVERAGE = 0.8


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    units = per_row(rows, asks, confidence)
    return (
        Measured("risk_coverage", units, area, additive=False),
        Measured("risk_coverage.at_80", units, at_80, additive=False),
    )


def _groups(parts: Array, weights: Array) -> tuple[Array, Array, Array, Array]:
    """Rows of equal confidence, the surest first: weight and errors before each group, and within it."""
    order = np.argsort(-parts[:, 0], kind="stable")
    sure, wrong, weights = parts[order, 0], parts[order, 1], weights[..., order]
    starts = np.flatnonzero(np.r_[True, sure[1:] != sure[:-1]])
    within = np.add.reduceat(weights, starts, axis=-1)
    errors = np.add.reduceat(weights * wrong, starts, axis=-1)
    return within.cumsum(axis=-1) - within, errors.cumsum(axis=-1) - errors, within, errors


def area(parts: Array, weights: Array) -> Array:
    """For whole weights: sum over k of (before + j m) / (w + j), in closed form by harmonic numbers."""
    before, errors_before, within, errors = _groups(parts, weights)
    total = within.sum(axis=-1)
    harmonic = np.r_[0.0, np.cumsum(1 / np.arange(1, int(total.max(initial=0)) + 1))]
    first, last = np.rint(before).astype(int), np.rint(before + within).astype(int)
    mean = np.divide(errors, within, out=np.zeros_like(errors), where=within > 0)
    summed = mean * within + (errors_before - mean * before) * (harmonic[last] - harmonic[first])
    return divided(summed.sum(axis=-1), total)


def at_80(parts: Array, weights: Array) -> Array:
    """The share of errors among the first 80 % of the rows, a part of a group of equals by its share."""
    before, _, within, errors = _groups(parts, weights)
    wanted = np.ceil(np.round(_COVERAGE * within.sum(axis=-1, keepdims=True), 9))
    taken = np.clip(wanted - before, 0, within)
    mean = np.divide(errors, within, out=np.zeros_like(errors), where=within > 0)
    return divided((taken * mean).sum(axis=-1), wanted[..., 0])
