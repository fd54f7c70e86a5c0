import re

import pytest

from mht.evaluation.report.chapter import Chapter
from mht.evaluation.report.charts import (
    OF_TEN,
    WHOLE,
    Mark,
    around_nought,
    bar,
    beside,
    forest,
    reaching,
    reliability,
    risk_coverage,
)


def numbers(attribute: str, svg: str) -> list[float]:
    return [float(found) for found in re.findall(rf' {attribute}="([-\d.]+)%?"', svg)]


def test_a_scale_runs_from_edge_to_edge_and_leaves_room_for_marks() -> None:
    assert (WHOLE.at(0), WHOLE.at(0.5), WHOLE.at(1)) == (4, 50, 96)
    assert OF_TEN.at(5.5) == 50
    assert WHOLE.at(7) == 96


@pytest.mark.parametrize(
    ("top", "end"), [(0.0, 0.02), (0.013, 0.02), (0.043, 0.06), (0.31, 0.4), (0.97, 1.0), (1.0, 1.0)]
)
def test_a_scale_reaches_to_the_next_round_number(top: float, end: float) -> None:
    assert reaching([None, 0.0, top]).high == pytest.approx(end)
    assert reaching([top]).ticks[-1] == pytest.approx(end)


def test_a_scale_of_differences_has_nought_in_its_middle() -> None:
    scale = around_nought([-0.03, 0.01, None])
    assert (scale.low, scale.high) == (pytest.approx(-0.04), pytest.approx(0.04))
    assert scale.at(0) == 50
    assert 'class="nought"' in forest(scale, [Mark(0.01, None, None, "tie", "w")])


def test_a_forests_points_and_intervals_stand_at_their_values() -> None:
    svg = forest(WHOLE, [Mark(0.25, 0.1, 0.5, "main", "words"), Mark(0.75, None, None, "main", "w")])
    assert numbers("cx", svg) == [pytest.approx(WHOLE.at(0.25)), pytest.approx(WHOLE.at(0.75))]
    assert numbers("cy", svg) == [25, 75]
    whiskers = re.findall(r'<line class="whisker[^>]*>', svg)
    assert len(whiskers) == 1
    assert numbers("x1", whiskers[0]) == [pytest.approx(WHOLE.at(0.1))]
    assert numbers("x2", whiskers[0]) == [pytest.approx(WHOLE.at(0.5))]
    assert 'aria-label="words; w"' in svg


def test_a_bar_is_as_long_as_its_value() -> None:
    svg = bar(WHOLE, Mark(0.5, 0.25, 1.0, "main", "w"))
    assert numbers("width", svg) == [pytest.approx(WHOLE.at(0.5) - WHOLE.at(0))]


def test_what_has_no_value_is_not_drawn() -> None:
    nothing = Mark(None, None, None, "main", "w")
    for svg in (forest(WHOLE, [nothing]), bar(WHOLE, nothing), beside(WHOLE, nothing, [nothing])):
        assert "<circle" not in svg
        assert "<rect" not in svg
        assert "other" not in svg


def test_baselines_are_strokes_on_the_models_line() -> None:
    svg = beside(WHOLE, Mark(0.5, None, None, "main", "m"), [Mark(0.3, None, None, "blind-0", "echo <yes>")])
    assert 'class="other blind-0" x1="31.60%"' in svg
    assert "<title>echo &lt;yes&gt;</title>" in svg


def test_words_of_others_are_text_in_a_chart() -> None:
    assert "<script>" not in forest(WHOLE, [Mark(0.5, None, None, "main", '"><script>')])


def test_diagrams_draw_each_bin_and_each_step(told: Chapter) -> None:
    drawn = numbers("cy", reliability(told.bins))
    assert drawn == [pytest.approx(270 - 260 * (one.right.value or 0), abs=0.06) for one in told.bins]
    path = re.findall(r'points="([^"]+)"', risk_coverage(told.curve))[0].split()
    assert len(path) == len(told.curve) == 20
    assert path[-1].startswith("304.0,")
