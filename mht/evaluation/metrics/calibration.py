"""Calibration: how far confidence is from accuracy, from the probability that a model gave to yes.

`calibration` is the expected calibration error: over bins of equal width from .5 to 1, the sum of |accuracy - mean
confidence| weighted by the bin's share of rows; confidence is the probability of the likelier word. `calibration.gap`
is mean confidence less accuracy: above 0 is over-confident. Lower is better; the gap, nearer to 0. Source: Guo et al.,
On Calibration of Modern Neural Networks (arXiv 1706.04599).
Rows without a probability are unscored, as are failed replies; no row whose truth says yes or no: no value, n = 0.
The error is biased upwards on few rows, the more the more bins: compare runs on the same rows only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt

from mht.evaluation.metrics._likelihood import asks, confidence
from mht.predictions import Array, Measured, Parts, Prediction, Unscored, divided, per_row


class Params(BaseModel):
    """`bins` of equal width between .5 and 1."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bins: PositiveInt = 10


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    def parts(row: Prediction) -> Parts | Unscored:
        got = confidence(row)
        if isinstance(got, Unscored):
            return got
        sure, wrong = got
        at = min(int((sure - 0.5) * 2 * params.bins), params.bins - 1)
        made = [0.0] * (2 * params.bins) + [1.0]
        made[2 * at : 2 * at + 2] = [sure, 1 - wrong]
        return tuple(made)

    units = per_row(rows, asks, parts)
    return Measured("calibration", units, error), Measured("calibration.gap", units, gap)


def error(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    off = np.abs(sums[..., 0:-1:2] - sums[..., 1:-1:2])
    return divided(off.sum(axis=-1), sums[..., -1])


def gap(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided((sums[..., 0:-1:2] - sums[..., 1:-1:2]).sum(axis=-1), sums[..., -1])
