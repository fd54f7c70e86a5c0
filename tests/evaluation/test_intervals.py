"""Intervals hold what they aim at where rows come in clusters, and two runs are compared on the same draws."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.intervals import Setting, as_share, drawn, held, held_difference, held_f1
from mht.errors import InputError
from mht.evaluation import intervals
from mht.evaluation.intervals import IntervalParams, clustered_error, difference, with_interval
from mht.evaluation.metrics import pope, risk_coverage
from mht.predictions import Array, Kind, Measured, Unit, ratio
from tests.evaluation.rows import predictions

SETTING = Setting(images=100, fewest=1, most=20, rate=0.35, likeness=0.2)
FEW = IntervalParams(draws=300)
TIMES = (
    200  # a coverage of 95 % is within 4.6 points, three standard errors; benchmarks/intervals.py has 1,000
)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_an_interval_holds_the_true_rate_as_often_as_it_says(method: str) -> None:
    params = FEW.model_copy(update={"method": method})
    covered, width = held(SETTING, TIMES, params, 1)
    assert 0.904 <= covered <= 0.996
    assert 0.04 < width < 0.07
    assert held_f1(SETTING, TIMES // 4, params, 1) >= 0.88


def test_rows_drawn_alone_would_not() -> None:
    assert held(SETTING, TIMES // 4, FEW, 1, by_row=True)[0] < 0.85


def test_two_runs_alike_differ_by_chance_as_often_as_they_should() -> None:
    covered, significant = held_difference(SETTING, TIMES, FEW, 2)
    assert 0.904 <= covered <= 0.996
    assert significant <= 0.09


def test_an_interval_is_the_same_again_and_whatever_the_order() -> None:
    measured = as_share(drawn(SETTING, np.random.default_rng(3)))
    first = with_interval(measured, FEW)
    assert with_interval(measured, FEW) == first
    turned = with_interval(replace(measured, units=measured.units[::-1]), FEW)
    assert (turned.low, turned.high) == pytest.approx((first.low, first.high))
    assert with_interval(measured, FEW.model_copy(update={"seed": 1})) != first


def test_an_additive_figure_is_drawn_by_sums_as_it_would_be_by_rows() -> None:
    units = pope.measure(predictions(), pope.Params())[0].units
    for of in (pope.f1, pope.precision):
        by_sums = with_interval(Measured("x", units, of), FEW)
        by_rows = with_interval(Measured("x", units, of, additive=False), FEW)
        assert (by_sums.low, by_sums.high) == pytest.approx((by_rows.low, by_rows.high))
        assert by_sums.low < by_sums.value < by_sums.high  # type: ignore[operator]


def test_a_curve_has_an_interval() -> None:
    found = with_interval(risk_coverage.measure(predictions(), risk_coverage.Params())[0], FEW)
    assert found.low < found.value < found.high  # type: ignore[operator]


def test_a_level_that_is_higher_is_wider() -> None:
    measured = as_share(drawn(SETTING, np.random.default_rng(3)))
    narrow, wide = (with_interval(measured, FEW.model_copy(update={"level": one})) for one in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high  # type: ignore[operator]


def test_nothing_at_all_and_one_cluster_have_no_interval() -> None:
    for images in ([], [[1.0, 0.0, 1.0]]):
        found = with_interval(as_share(images), FEW)
        assert (found.low, found.high) == (None, None)
        assert clustered_error(as_share(images)) is None
    assert with_interval(as_share([[1.0, 0.0, 1.0]]), FEW).value == pytest.approx(2 / 3)


def test_none_of_so_many_images_is_not_never() -> None:
    never, always = as_share([[0.0, 0.0]] * 60), as_share([[1.0]] * 60)
    low, high = with_interval(never, FEW).low, with_interval(never, FEW).high
    assert low == 0.0
    assert high == pytest.approx(1 - 0.025 ** (1 / 60))
    assert (with_interval(always, FEW).low, with_interval(always, FEW).high) == pytest.approx(
        (0.025 ** (1 / 60), 1.0)
    )


def test_a_figure_that_few_draws_have_is_left_without() -> None:
    units = tuple(Unit(str(i), str(i), (float(i == 0), float(i == 0))) for i in range(3))

    def of(parts: Array, weights: Array) -> Array:
        sums = weights @ parts
        return np.where(sums[..., 1] == 1, sums[..., 0], np.nan)

    found = with_interval(Measured("x", units, of), FEW)
    assert (found.value, found.low) == (1.0, None)


def test_a_difference_is_of_the_rows_that_both_have() -> None:
    one = as_share([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0]] * 10)
    other = as_share([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0]] * 10)
    units = list(other.units)
    units[0] = replace(units[0], parts=None, unscored="undecided")
    found = difference(one, replace(other, units=tuple(units[:-1])), FEW)
    assert (found.n, found.left_out) == (68, 2)
    assert found.value == pytest.approx((10 + 9) / 68)
    assert 0 < found.low < found.value < found.high  # type: ignore[operator]
    assert found.p is not None
    assert found.p < 0.02
    same = difference(one, one, FEW)
    assert (same.value, same.low, same.high, same.p) == (0.0, 0.0, 0.0, 1.0)


def test_a_difference_of_nothing_is_none() -> None:
    found = difference(as_share([]), as_share([[1.0]]), FEW)
    assert (found.value, found.n, found.left_out) == (None, 0, 1)


def test_runs_that_were_not_asked_the_same_are_not_compared() -> None:
    one = Measured("x", (Unit("r", "a", (1.0, 1.0)),), ratio(0, 1))
    other = Measured("x", (Unit("r", "b", (1.0, 1.0)),), ratio(0, 1))
    with pytest.raises(InputError, match="row 'r' is of 'a' in one run and of 'b' in the other"):
        difference(one, other, FEW)


def test_the_error_of_a_share_by_formula_and_of_another_figure_by_leaving_out() -> None:
    images = [[1.0, 0.0], [1.0], [0.0, 0.0, 0.0], [1.0, 1.0]]
    off = [sum(row - 0.5 for row in image) for image in images]
    by_hand = (4 / 3 * sum(u * u for u in off)) ** 0.5 / 8
    assert clustered_error(as_share(images)) == pytest.approx(by_hand)

    def of(parts: Array, weights: Array) -> Array:
        return ratio(0, 1)(parts, weights) * 2

    left = [2 * (4 - sum(image)) / (8 - len(image)) for image in images]
    mean = sum(left) / 4
    by_hand = (3 / 4 * sum((one - mean) ** 2 for one in left)) ** 0.5
    assert clustered_error(replace(as_share(images), of=of)) == pytest.approx(by_hand)


def test_the_error_agrees_with_the_spread_of_the_draws() -> None:
    measured = as_share(drawn(SETTING, np.random.default_rng(3)))
    found = with_interval(measured, IntervalParams(method="percentile"))
    half = (found.high - found.low) / 2  # type: ignore[operator]
    assert half == pytest.approx(1.96 * float(clustered_error(measured) or 0), rel=0.1)


def test_draws_are_made_once_for_figures_of_as_many_clusters_and_are_those_of_pieces() -> None:
    whole = intervals._drawn(7, 200, 11)
    assert intervals._drawn(7, 200, 11) is whole
    rng = np.random.default_rng(11)
    pieces = [intervals._drawn_by(rng, 7, size) for size in (64, 64, 64, 8)]
    assert np.array_equal(whole, np.concatenate(pieces))
    assert not whole.flags.writeable
    # Too many to hold are drawn piece by piece, the same ones.
    many = intervals._HELD // 100 + 1
    made = list(intervals._weights(many, 101, 11))
    assert [len(one) for one in made] == [99, 2]
    assert np.array_equal(np.concatenate(made), intervals._drawn_by(np.random.default_rng(11), many, 101))


def test_draws_that_are_all_the_same_bound_shares_only() -> None:
    units = tuple(Unit(f"{at}", f"c{at}", (1.0, 1.0)) for at in range(30))
    share = with_interval(Measured("x", units, ratio(0, 1)), FEW)
    assert (share.low, share.high) == (pytest.approx(0.025 ** (1 / 30)), 1.0)
    # 1 is the lowest of a judge's scores, and no bound of a mean of findings.
    number = with_interval(Measured("judged.risk", units, ratio(0, 1), kind=Kind.NUMBER), FEW)
    assert (number.value, number.low, number.high) == (1.0, None, None)
    half = tuple(replace(unit, parts=(1.0, 2.0)) for unit in units)
    assert with_interval(Measured("x", half, ratio(0, 1)), FEW).low is None
    biased = with_interval(replace(as_share([[1.0, 0.0], [0.0], [1.0]]), kind=Kind.BIASED), FEW)
    assert (biased.value, biased.low, biased.high) == (0.5, None, None)


def test_a_share_that_is_all_or_nothing_of_few_clusters_has_the_bound_of_those() -> None:
    """Precision of yes where six of sixty images have a yes, all right: the other images say nothing of it."""
    units = tuple(
        Unit(f"{at}", f"c{at}", (1.0, 0.0, 0.0, 0.0) if at < 6 else (0.0, 0.0, 1.0, 0.0)) for at in range(60)
    )
    found = with_interval(Measured("pope.precision", units, pope.precision), FEW)
    assert (found.value, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 6))
    accuracy = with_interval(Measured("pope", units, pope.accuracy), FEW)
    assert accuracy.low == pytest.approx(0.025 ** (1 / 60))
