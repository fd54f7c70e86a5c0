"""Agreement beside scikit-learn and scipy on random scores, and by hand where those have no such figure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mht.evaluation.agreement import (
    brier,
    length_bias,
    mean_error,
    redundancy,
    repeatability,
    spearman,
    weighted_kappa,
)

SEEDS = range(6)


def scores(seed: int, size: int = 60) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    one = rng.integers(1, 11, size)
    return one, np.clip(one + rng.integers(-3, 4, size), 1, 10)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("power", [1, 2])
def test_kappa_is_scikit_learns(seed: int, power: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one, other = scores(seed)
    weights = {1: "linear", 2: "quadratic"}[power]
    theirs = metrics.cohen_kappa_score(one, other, weights=weights, labels=range(1, 11))
    assert weighted_kappa(one, other, power=power) == pytest.approx(theirs)


@pytest.mark.parametrize("seed", SEEDS)
def test_spearman_is_scipys(seed: int) -> None:
    stats = pytest.importorskip("scipy.stats")
    one, other = scores(seed)
    assert spearman(one, other) == pytest.approx(stats.spearmanr(one, other)[0])


@pytest.mark.parametrize("seed", SEEDS)
def test_brier_and_error_are_scikit_learns(seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    one, other = scores(seed)
    assert brier(one / 10, other > 5) == pytest.approx(metrics.brier_score_loss(other > 5, one / 10))
    assert mean_error(one, other) == pytest.approx(metrics.mean_absolute_error(one, other))


def test_kappa_by_hand() -> None:
    one, other = [1, 2, 1, 2], [1, 2, 2, 1]
    assert weighted_kappa(one, other, 1, 2) == 0.0
    assert weighted_kappa([1, 2, 3], [1, 2, 3], 1, 3) == 1.0
    assert weighted_kappa([1, 3], [3, 1], 1, 3) == -1.0
    assert weighted_kappa([2, 2], [2, 2]) is None


@pytest.mark.parametrize("bad", [[0, 5], [11, 5], [1.5, 5]])
def test_kappa_is_for_whole_points_on_the_scale(bad: list[int]) -> None:
    with pytest.raises(ValueError, match="whole points from 1 to 10"):
        weighted_kappa(bad, [5, 5])


def test_what_does_not_vary_has_no_correlation() -> None:
    assert spearman([3, 3, 3], [1, 2, 3]) is None
    assert redundancy({"a": [1, 2], "b": [3, 3]}) is None
    assert length_bias([1, 1], [1, 2]) is None


def test_redundancy_of_copies_and_of_strangers() -> None:
    row = list(range(8))
    copies = redundancy({"a": row, "b": [2 * x for x in row], "c": [x**3 for x in row]})
    assert copies is not None
    assert copies.first == pytest.approx(1)
    apart = redundancy({"a": [1, 1, 2, 2], "b": [1, 2, 1, 2]})
    assert apart is not None
    assert apart.first == pytest.approx(0.5)
    assert apart.pairs == {("a", "b"): 0.0}
    with pytest.raises(ValueError, match="two dimensions"):
        redundancy({"a": row})


def test_repeatability_by_hand() -> None:
    """Three rows twice: the differences are 0, 2, 0; the mean within-row variance (0 + 2 + 0) / 3."""
    found = repeatability([[1, 4, 9], [1, 6, 9]])
    assert found.same == pytest.approx(2 / 3)
    assert found.within == pytest.approx((2 / 3) ** 0.5)
    assert found.icc == pytest.approx((32 - 2 / 3) / (32 + 2 / 3))
    assert repeatability([[1, 5], [1, 5]]).icc == 1.0
    assert repeatability([[5, 5], [5, 5]]).icc is None
    with pytest.raises(ValueError, match="two runs"):
        repeatability([[1, 2]])


@pytest.mark.parametrize("seed", SEEDS)
def test_length_bias_at_equal_quality_is_the_correlation_of_what_is_left(seed: int) -> None:
    """The partial correlation is that of the residuals of both ranks on those of quality."""
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(seed)
    quality, lengths = rng.random(50), rng.random(50)
    given = quality + 0.5 * lengths + rng.random(50)
    ranks = [stats.rankdata(values) for values in (given, lengths, quality)]
    line = np.stack([ranks[2], np.ones(50)], axis=1)
    left = [r - line @ np.linalg.lstsq(line, r, rcond=None)[0] for r in ranks[:2]]
    assert length_bias(given, lengths, quality) == pytest.approx(np.corrcoef(*left)[0, 1])
    assert length_bias(given, lengths) == spearman(given, lengths)


def test_quality_that_decides_all_leaves_nothing_to_length() -> None:
    assert length_bias([1, 2, 3], [3, 1, 2], [1, 2, 3]) is None


@pytest.mark.parametrize(("one", "other"), [([], []), ([1], [1, 2]), ([1, float("nan")], [1, 2])])
def test_rows_must_be_whole_and_finite(one: list[float], other: list[float]) -> None:
    for figure in (spearman, mean_error, brier):
        with pytest.raises(ValueError, match=r"needed|NaN"):
            figure(one, other)
