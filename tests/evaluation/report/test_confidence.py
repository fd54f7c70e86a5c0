import pytest

from mht.evaluation.metrics import calibration, risk_coverage
from mht.evaluation.report.chapter import Chapter
from mht.evaluation.report.confidence import bins, curve
from mht.evaluation.run import EvaluationRun
from mht.predictions import Prediction, score
from tests.evaluation.report.runs import INTERVALS, plain_rows


def sure(at: int, likelihood: float, right: bool) -> Prediction:
    truth = "Yes." if (likelihood >= 0.5) == right else "No."
    return Prediction("b", str(at), f"i{at}", "q", truth, "Yes.", likelihood_yes=likelihood)


def figure(run: EvaluationRun, name: str) -> float | None:
    return next(score.value for score in run.scores["pairs"] if score.name == name)


def test_the_diagrams_points_give_the_calibration_error(told: Chapter, scored: EvaluationRun) -> None:
    n = sum(one.right.n for one in told.bins)
    off = sum(abs(one.confidence - (one.right.value or 0)) * one.right.n for one in told.bins) / n
    assert off == pytest.approx(figure(scored, "calibration"))


def test_bins_by_hand() -> None:
    rows = [sure(0, 0.55, True), sure(1, 0.93, True), sure(2, 0.97, False), sure(3, 0.02, True)]
    low, high = bins(rows, calibration.Params(bins=2), INTERVALS)
    assert (low.start, low.end, low.right.value, low.right.n) == (0.5, 0.75, 1, 1)
    assert high.confidence == pytest.approx((0.93 + 0.97 + 0.98) / 3)
    assert (high.right.value, high.right.n) == (pytest.approx(2 / 3), 3)


def test_the_curve_ends_at_the_share_of_errors_and_takes_the_surest_first() -> None:
    rows = [sure(at, 0.99 - at / 100, right=at < 16) for at in range(20)]
    points = curve(rows)
    assert [point.wrong for point in points[:16]] == [0] * 16
    assert (points[-1].coverage, points[-1].wrong) == (1, pytest.approx(4 / 20))
    assert points[17].wrong == pytest.approx(2 / 18)


def test_equally_sure_rows_each_count_their_mean_error() -> None:
    rows = [sure(at, 0.9, right=at % 2 == 0) for at in range(20)]
    assert {round(point.wrong, 9) for point in curve(rows)} == {0.5}


@pytest.mark.parametrize("step", [0.01, 0.05])
def test_the_curve_passes_through_the_metrics_own_figure(step: float) -> None:
    rows = [sure(at, 0.99 - step * (at // 3), right=at % 4 > 0) for at in range(20)]
    at_80 = score(risk_coverage.measure(rows, risk_coverage.Params())[1]).value
    assert curve(rows)[15].wrong == pytest.approx(at_80)


def test_without_a_probability_there_is_nothing_to_draw() -> None:
    assert bins(plain_rows(), calibration.Params(), INTERVALS) == ()
    assert curve(plain_rows()) == ()
