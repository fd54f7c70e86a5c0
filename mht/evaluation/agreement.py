"""How far judges agree: with each other, with themselves, with people, and what besides quality moves them.

All take one-dimensional sequences of equal length, rows in the same order. A figure that is not defined (a judge that
gives every row the same score) is None, never 0. NaN and infinity raise ValueError.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def weighted_kappa(
    one: Sequence[int], other: Sequence[int], lowest: int = 1, highest: int = 10, power: int = 2
) -> float | None:
    """Cohen's kappa of two raters on whole points, a disagreement weighted by its distance to `power` (Cohen, 1968).

    1 is the same scores, 0 what chance gives. None where both give one and the same score throughout. Raises
    ValueError for a score off the scale or between two points.
    """
    a, b = _paired(one, other)
    for values in (a, b):
        if not np.all((values == np.round(values)) & (values >= lowest) & (values <= highest)):
            raise ValueError(f"kappa is for whole points from {lowest} to {highest}; round the scores first")
    points = highest - lowest + 1
    seen = np.zeros((points, points))
    np.add.at(seen, (a.astype(int) - lowest, b.astype(int) - lowest), 1)
    steps = np.arange(points)
    cost = np.abs(steps[:, None] - steps[None, :]).astype(np.float64) ** power
    chance = np.outer(seen.sum(1), seen.sum(0)) / seen.sum()
    expected = float((cost * chance).sum())
    return 1 - float((cost * seen).sum()) / expected if expected else None


def spearman(one: Sequence[float], other: Sequence[float]) -> float | None:
    """Spearman's rank correlation, ties at their mean rank; None where either does not vary."""
    a, b = _paired(one, other)
    return _correlation(_ranks(a), _ranks(b))


def mean_error(one: Sequence[float], other: Sequence[float]) -> float:
    """The mean absolute difference, in points."""
    a, b = _paired(one, other)
    return float(np.abs(a - b).mean())


def brier(chances: Sequence[float], outcomes: Sequence[bool]) -> float:
    """The mean squared difference of a probability and what came (Brier, 1950): 0 is the best, .25 a coin's.

    Raises ValueError for a chance that is not between 0 and 1.
    """
    p, y = _paired(chances, [float(outcome) for outcome in outcomes])
    if p.min() < 0 or p.max() > 1:
        raise ValueError("a chance lies between 0 and 1; divide scores by their highest first")
    return float(((p - y) ** 2).mean())


@dataclass(frozen=True, slots=True)
class Redundancy:
    """How nearly several dimensions are one. `first` is the share of the variance of their ranks that one direction
    holds: 1 / n for n independent ones, 1 for copies; `pairs` the Spearman correlation of each two.
    """

    first: float
    pairs: Mapping[tuple[str, str], float]


def redundancy(scores: Mapping[str, Sequence[float]]) -> Redundancy | None:
    """Of two or more dimensions by name; None where one does not vary."""
    names = list(scores)
    if len(names) < 2:
        raise ValueError(f"redundancy is of two dimensions or more, not of {len(names)}")
    ranks = [_ranks(_paired(scores[names[0]], scores[name])[1]) for name in names]
    matrix = np.eye(len(names))
    pairs: dict[tuple[str, str], float] = {}
    for i in range(len(names)):
        for j in range(i + 1, len(names)):
            rho = _correlation(ranks[i], ranks[j])
            if rho is None:
                return None
            matrix[i, j] = matrix[j, i] = pairs[names[i], names[j]] = rho
    return Redundancy(float(np.linalg.eigvalsh(matrix)[-1]) / len(names), pairs)


@dataclass(frozen=True, slots=True)
class Repeatability:
    """A judge asked again: the share of rows with the very same score each time, the standard deviation within a row
    in points, and the intraclass correlation (ICC(1), Shrout and Fleiss 1979), None where no score differs.
    """

    same: float
    within: float
    icc: float | None


def repeatability(runs: Sequence[Sequence[float]]) -> Repeatability:
    """Of the scores of the same rows in two or more runs. Raises ValueError for fewer runs, or fewer than two rows."""
    if len(runs) < 2:
        raise ValueError(f"repeatability is of two runs or more, not of {len(runs)}")
    table = np.array([_paired(runs[0], run)[1] for run in runs])
    return repeated(table.mean(axis=0).tolist(), table.std(axis=0, ddof=1).tolist(), len(runs))


def repeated(means: Sequence[float], spreads: Sequence[float], times: int) -> Repeatability:
    """The same of each row's mean and standard deviation over so many `times`. Raises ValueError as above."""
    mean, spread = _paired(means, spreads)
    if len(mean) < 2:
        raise ValueError("repeatability needs two rows or more")
    within = float((spread**2).mean())
    between = times * float(mean.var(ddof=1))
    whole = between + (times - 1) * within
    return Repeatability(
        same=float((spread == 0).mean()),
        within=within**0.5,
        icc=(between - within) / whole if whole else None,
    )


def length_bias(
    scores: Sequence[float], lengths: Sequence[float], quality: Sequence[float] | None = None
) -> float | None:
    """Spearman of scores and lengths; with `quality` (another judge, or people), what is left of it at equal quality.

    The latter is the partial rank correlation. None where something does not vary, or quality decides either wholly.
    """
    raw = spearman(scores, lengths)
    if quality is None or raw is None:
        return raw
    by_score, by_length = spearman(scores, quality), spearman(lengths, quality)
    if by_score is None or by_length is None:
        return None
    left = (1 - by_score**2) * (1 - by_length**2)
    return (raw - by_score * by_length) / left**0.5 if left > 1e-12 else None


def _paired(one: Sequence[float], other: Sequence[float]) -> tuple[Array, Array]:
    a, b = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise ValueError(f"two rows of equal length are needed, not {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a score is NaN or infinite; leave out what was not scored, and say how many")
    return a, b


def _ranks(values: Array) -> Array:
    """1 for the least; equal values share their mean rank."""
    _, place, often = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(often)
    ranks: Array = (last - (often - 1) / 2)[place]
    return ranks


def _correlation(one: Array, other: Array) -> float | None:
    a, b = one - one.mean(), other - other.mean()
    spread = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / spread if spread else None
