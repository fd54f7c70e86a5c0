"""Calibration: how far confidence is from accuracy, from the probability that a model gave to yes.

`calibration` is the expected calibration error: over bins of equal width from .5 to 1, the sum of |accuracy - mean
confidence| weighted by the bin's share of rows; confidence is the probability of the likelier word. `calibration.gap`
is mean confidence less accuracy: above 0 is over-confident. Lower is better; the gap, nearer to 0. Source: Guo et al.,
On Calibration of Modern Neural Networks (arXiv 1706.04599).
Rows without a probability are unscored, as are failed replies; no row whose truth says yes or no: no value, n = 0.
The error is biased upwards on few rows, the more the more bins, and draws from them more still, so it has no interval.
`calibration.chance` is what a model as sure as this one would show on these rows if its probabilities were true and the
rows independent: the sum over the bins of sqrt(2 / pi sum p (1 - p)), over n. Hold the error against it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict, PositiveInt

from mht.evaluation.metrics._likelihood import asks, confidence
from mht.predictions import Array, Kind, Measured, Parts, Prediction, Unscored, divided, per_row


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
        at = _bin(sure, params.bins)
        made = [0.0] * (2 * params.bins) + [1.0]
        made[2 * at : 2 * at + 2] = [sure, 1 - wrong]
        return tuple(made)

    def spread(row: Prediction) -> Parts | Unscored:
        got = confidence(row)
        if isinstance(got, Unscored):
            return got
        made = [0.0] * params.bins + [1.0]
        made[_bin(got[0], params.bins)] = got[0] * (1 - got[0])
        return tuple(made)

    units = per_row(rows, asks, parts)
    return (
        Measured("calibration", units, error, kind=Kind.BIASED),
        Measured("calibration.chance", per_row(rows, asks, spread), chance, kind=Kind.BIASED),
        Measured("calibration.gap", units, gap, kind=Kind.NUMBER),
    )


def _bin(sure: float, bins: int) -> int:
    return min(int((sure - 0.5) * 2 * bins), bins - 1)


def error(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    off = np.abs(sums[..., 0:-1:2] - sums[..., 1:-1:2])
    return divided(off.sum(axis=-1), sums[..., -1])


def chance(parts: Array, weights: Array) -> Array:
    """The mean of |sum of (p - right)|, which is near to normal, bin by bin."""
    sums = weights @ parts
    return divided(np.sqrt(2 / np.pi * sums[..., :-1]).sum(axis=-1), sums[..., -1])


def gap(parts: Array, weights: Array) -> Array:
    sums = weights @ parts
    return divided((sums[..., 0:-1:2] - sums[..., 1:-1:2]).sum(axis=-1), sums[..., -1])
