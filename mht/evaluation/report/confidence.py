"""What a model's own probability of yes is worth: the points of the reliability diagram and of the risk curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mht.evaluation.intervals import IntervalParams, with_interval
from mht.evaluation.metrics import calibration, risk_coverage
from mht.predictions import Measured, Prediction, Score, Unit, parts_of, ratio

_STEPS = 20


@dataclass(frozen=True, slots=True)
class Bin:
    """The replies whose confidence lies from `start` to `end`: their mean confidence, and how often they are right."""

    start: float
    end: float
    confidence: float
    right: Score


@dataclass(frozen=True, slots=True)
class Point:
    """Of the surest `coverage` of the rows, the share that is wrong."""

    coverage: float
    wrong: float


def bins(
    rows: Sequence[Prediction], params: calibration.Params, intervals: IntervalParams
) -> tuple[Bin, ...]:
    """The bins that hold a row, the least sure first; none where no row has a probability."""
    measured = calibration.measure(rows, params)[0]
    width = 0.5 / params.bins
    made = (_bin(measured, at, width, intervals) for at in range(params.bins))
    return tuple(one for one in made if one is not None)


def _bin(measured: Measured, at: int, width: float, intervals: IntervalParams) -> Bin | None:
    """Of a unit's parts, 2 at is its confidence and 2 at + 1 whether it is right; 0 and 0 in other bins."""
    held = [unit for unit in measured.units if unit.parts is not None and unit.parts[2 * at] > 0]
    if not held:
        return None
    sure = float(np.mean([_parts(unit)[2 * at] for unit in held]))
    units = tuple(Unit(unit.key, unit.cluster, (_parts(unit)[2 * at + 1], 1.0)) for unit in held)
    right = with_interval(Measured("right", units, ratio(0, 1)), intervals)
    return Bin(0.5 + at * width, 0.5 + (at + 1) * width, sure, right)


def _parts(unit: Unit) -> tuple[float, ...]:
    assert unit.parts is not None
    return unit.parts


def curve(rows: Sequence[Prediction]) -> tuple[Point, ...]:
    """The risk-coverage curve in steps of 5 %; equally sure rows each count their mean error."""
    parts = parts_of(risk_coverage.measure(rows, risk_coverage.Params())[0].units)
    if not len(parts):
        return ()
    order = np.argsort(-parts[:, 0], kind="stable")
    sure, wrong = parts[order, 0], parts[order, 1].cumsum()
    ends = np.flatnonzero(np.r_[sure[1:] != sure[:-1], True])
    shares = np.arange(1, _STEPS + 1) / _STEPS
    taken = shares * len(parts)
    errors = np.interp(taken, np.r_[0, ends + 1], np.r_[0.0, wrong[ends]])
    return tuple(Point(float(share), float(risk)) for share, risk in zip(shares, errors / taken, strict=True))
