"""How sure a figure is: intervals by bootstrap over clusters, never over rows, and differences of two runs in pairs.

A cluster is an image, or the patient or case that several images share: its rows stand or fall together, and to draw
rows would count one image ten times. Clusters are drawn with replacement, as many as there are (Davison and Hinkley,
Bootstrap Methods and their Application, 1997, ch. 2 and 3.8). Only clusters with a scored row are drawn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from mht.errors import InputError
from mht.predictions import Array, Kind, Measured, Score, Unit, figure, parts_of, score

_HELD = 1 << 22  # weights held at a time
_BLOCKS = 500  # at most so many are left out in turn
_TAIL = 10  # draws on the far side from which their number is told
_NORMAL = NormalDist()
Figure = Callable[[Array], Array]
"""Weights of the clusters (..., clusters) to values (...)."""


class IntervalParams(BaseModel):
    """How an interval is made.

    `percentile` takes the quantiles of the draws; `bca` shifts them by the bias and the skewness that the draws, and
    leaving out clusters in turn, show (Efron, Better Bootstrap Confidence Intervals, JASA 82, 1987). `level` is the
    coverage that is aimed at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: Literal["percentile", "bca"] = "bca"
    level: float = Field(default=0.95, gt=0, lt=1)
    draws: int = Field(default=2000, ge=100)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """One run's figure less another's, on the units that both have scored.

    `value` is None where either is undefined. `left_out` counts the units that one of the two alone was asked or has
    scored. `p` is two-sided: how often the draws fall on the far side of no difference, and where fewer than ten of
    them do the normal tail by their spread, which has no floor at one draw; but never below what the signs of so many
    clusters could show at the most. None without an interval.
    """

    name: str
    value: float | None
    n: int
    left_out: int
    low: float | None = None
    high: float | None = None
    p: float | None = None


def with_interval(measured: Measured, params: IntervalParams) -> Score:
    """The figure with its interval.

    Without one where the figure is undefined or stands on fewer than two clusters, and where draws cannot tell: of a
    biased one, or where all are the same. A share that is 0 or 1 in every draw has an exact far bound, for as many
    independent clusters as the share is defined on by themselves (Clopper and Pearson, Biometrika 26, 1934).
    """
    plain = score(measured)
    if plain.value is None or measured.kind == Kind.BIASED:
        return plain
    scored = [unit for unit in measured.units if unit.parts is not None]
    of, clusters = _figure(measured, scored)
    if clusters < 2:
        return plain
    draws = _draws(of, clusters, params)
    if len(draws) >= params.draws / 2 and bool((draws == plain.value).all()):
        if measured.kind != Kind.SHARE or plain.value not in (0.0, 1.0):
            return plain
        far = ((1 - params.level) / 2) ** (1 / _telling(of, clusters))
        low, high = (0.0, 1 - far) if plain.value == 0 else (far, 1.0)
        return replace(plain, low=low, high=high)
    bounds = _bounds(of, clusters, plain.value, draws, params)
    return plain if bounds is None else replace(plain, low=bounds[0], high=bounds[1])


def difference(one: Measured, other: Measured, params: IntervalParams) -> Difference:
    """`one` less `other`, the same clusters drawn for both.

    Raises InputError where a row stands in another cluster in the other run: they were not asked the same.
    """
    mine, theirs = _both(one, other)
    left_out = len({u.key for u in (*one.units, *other.units)}) - len(mine)
    first, clusters = _figure(one, mine)
    second, _ = _figure(other, theirs)

    def of(weights: Array) -> Array:
        return first(weights) - second(weights)

    value = float(of(np.ones(clusters))) if mine else math.nan
    if math.isnan(value):
        return Difference(one.name, None, len(mine), left_out)
    plain = Difference(one.name, value, len(mine), left_out)
    if clusters < 2:
        return plain
    draws = _draws(of, clusters, params)
    bounds = _bounds(of, clusters, value, draws, params)
    if bounds is None:
        return plain
    return replace(plain, low=bounds[0], high=bounds[1], p=_p(value, draws, clusters))


def _p(value: float, draws: Array, clusters: int) -> float:
    far = int(min(np.count_nonzero(draws <= 0), np.count_nonzero(draws >= 0)))
    counted = min(1.0, 2 * (far + 1) / (len(draws) + 1))
    if far >= _TAIL:
        return counted
    spread = float(draws.std())
    tail = 2 * _NORMAL.cdf(-abs(value) / spread) if spread else 0.0
    return min(counted, max(tail, 2.0 ** (1 - clusters)))


def clustered_error(measured: Measured) -> float | None:
    """The standard error of a figure whose rows come in clusters; None on fewer than two clusters.

    For a ratio of two parts, a share among them, sqrt(C / (C - 1) sum_c u_c^2) / sum(below) with u_c the sum over the
    cluster of above - ratio * below (Miller, Adding Error Bars to Evals, arXiv 2411.00640, and inspect_ai); for any
    other figure by leaving out each cluster in turn (Efron and Stein, Annals of Statistics 9, 1981).
    """
    scored = [unit for unit in measured.units if unit.parts is not None]
    parts = parts_of(scored)
    value = figure(measured, parts, np.ones(len(parts)))
    index, clusters = _clusters(scored)
    if value is None or clusters < 2:
        return None
    if parts.shape[1] == 2 and math.isclose(value, parts[:, 0].sum() / (parts[:, 1].sum() or math.nan)):
        off = _summed(parts[:, :1] - value * parts[:, 1:], index, clusters)
        return float(np.sqrt(clusters / (clusters - 1) * (off**2).sum()) / parts[:, 1].sum())
    left = _left_out(_figure(measured, scored)[0], clusters, clusters)
    return float(np.sqrt((clusters - 1) / clusters * ((left - left.mean()) ** 2).sum()))


def _both(one: Measured, other: Measured) -> tuple[list[Unit], list[Unit]]:
    """The units of the two that are scored in both, in the same order."""
    theirs = {unit.key: unit for unit in other.units if unit.parts is not None}
    mine = [unit for unit in one.units if unit.parts is not None and unit.key in theirs]
    for unit in mine:
        if theirs[unit.key].cluster != unit.cluster:
            raise InputError(
                f"{one.name}: row {unit.key!r} is of {unit.cluster!r} in one run and of "
                f"{theirs[unit.key].cluster!r} in the other. Compare runs of the same benchmark."
            )
    return mine, [theirs[unit.key] for unit in mine]


def _clusters(units: Sequence[Unit]) -> tuple[NDArray[np.intp], int]:
    """Which cluster each unit is of, by number, and how many there are."""
    names, index = np.unique(np.array([unit.cluster for unit in units], dtype=object), return_inverse=True)
    return index, len(names)


def _summed(parts: Array, index: NDArray[np.intp], clusters: int) -> Array:
    summed = np.zeros((clusters, parts.shape[1]))
    np.add.at(summed, index, parts)
    return summed


def _figure(measured: Measured, units: Sequence[Unit]) -> tuple[Figure, int]:
    """The figure as a function of the clusters' weights, and how many clusters there are."""
    parts = parts_of(units)
    index, clusters = _clusters(units)
    if measured.additive:
        summed = _summed(parts, index, clusters)
        return (lambda weights: measured.of(summed, weights)), clusters
    return (lambda weights: measured.of(parts, weights[..., index])), clusters


def _telling(of: Figure, clusters: int) -> int:
    """On how many clusters the figure is defined by each alone; of very many all are taken for such."""
    if clusters > _BLOCKS:
        return clusters
    return max(1, int(np.count_nonzero(~np.isnan(of(np.eye(clusters))))))


def _draws(of: Figure, clusters: int, params: IntervalParams) -> Array:
    """The figure of each draw that has one."""
    draws = np.concatenate([of(weights) for weights in _weights(clusters, params.draws, params.seed)])
    return np.asarray(draws[~np.isnan(draws)])


def _weights(clusters: int, draws: int, seed: int) -> Iterable[Array]:
    """How often each cluster is drawn, (some draws, clusters) at a time."""
    if draws * clusters <= _HELD:
        return (_drawn(clusters, draws, seed),)
    rng, step = np.random.default_rng(seed), max(1, _HELD // clusters)
    return (_drawn_by(rng, clusters, min(step, draws - at)) for at in range(0, draws, step))


@lru_cache(maxsize=4)
def _drawn(clusters: int, draws: int, seed: int) -> Array:
    """All draws at once: the figures of a run are mostly of as many clusters, and draw alike."""
    return _drawn_by(np.random.default_rng(seed), clusters, draws)


def _drawn_by(rng: np.random.Generator, clusters: int, draws: int) -> Array:
    weights = rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)
    weights.setflags(write=False)
    return weights


def _bounds(
    of: Figure, clusters: int, value: float, draws: Array, params: IntervalParams
) -> tuple[float, float] | None:
    """None where fewer than half of the draws have a figure: it stands on too few clusters to tell."""
    if len(draws) < params.draws / 2:
        return None
    tails = [(1 - params.level) / 2, (1 + params.level) / 2]
    if params.method == "bca":
        tails = _corrected(tails, value, draws, _left_out(of, clusters, min(clusters, _BLOCKS)))
    low, high = np.quantile(draws, tails)
    return float(low), float(high)


def _corrected(tails: list[float], value: float, draws: Array, left: Array) -> list[float]:
    """The quantiles that BCa takes in the place of the tails'."""
    below = (np.count_nonzero(draws < value) + 0.5 * np.count_nonzero(draws == value)) / len(draws)
    bias = _NORMAL.inv_cdf(min(max(below, 1 / len(draws)), 1 - 1 / len(draws)))
    left = left[~np.isnan(left)]
    off = left.mean() - left if len(left) else np.zeros(1)
    spread = (off**2).sum() ** 1.5
    skew = (off**3).sum() / (6 * spread) if spread else 0.0
    shifted = (bias + _NORMAL.inv_cdf(tail) for tail in tails)
    return [_NORMAL.cdf(bias + z / (1 - skew * z)) for z in shifted]


def _left_out(of: Figure, clusters: int, blocks: int) -> Array:
    """The figure without each block of clusters in turn; as many blocks as clusters leaves out one at a time."""
    return np.concatenate([of(weights) for weights in _all_but_one(clusters, blocks)])


def _all_but_one(clusters: int, blocks: int) -> Iterator[Array]:
    block = np.arange(clusters) * blocks // clusters
    step = max(1, _HELD // clusters)
    for at in range(0, blocks, step):
        yield (block[None, :] != np.arange(at, min(at + step, blocks))[:, None]).astype(np.float64)
