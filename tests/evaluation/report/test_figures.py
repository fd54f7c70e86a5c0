import pytest

from mht import catalog
from mht.evaluation.report.figures import Better, Group, Unit, about, listed
from mht.predictions import Score
from tests.evaluation.report.runs import METRICS, measured, pairs

BY_LIBRARIES = {"meteor", "bleu", "bertscore", "bertscore.precision", "bertscore.recall"}


def test_every_figure_of_every_metric_is_told_in_words() -> None:
    found = {score.name for score in measured(pairs()) if "=" not in score.name} | BY_LIBRARIES
    assert found == set(listed())
    assert set(catalog.names("evaluation.metrics")) == {*METRICS, "meteor", "bleu", "bertscore"}
    for figure in listed().values():
        assert figure.title[0].isupper() or figure.title.startswith("MediHall")
        assert figure.counts.endswith(".")


def test_one_that_is_not_listed_is_told_by_its_metrics_docstring() -> None:
    found = about("pope.something_new")
    assert (found.title, found.unit, found.better) == ("pope, something new", Unit.NUMBER, Better.NEITHER)
    assert found.counts.startswith("Yes-no accuracy, precision")


def test_values_are_written_in_their_unit() -> None:
    share, number, ten = about("false_premise"), about("rouge"), about("judged.risk")
    assert (share.written(0.0416), number.written(0.0416), ten.written(7.4)) == ("4.2 %", "0.042", "7.40")
    assert share.written(None) == "–"
    assert share.written(-0.0416, signed=True) == "−4.2 points"
    assert share.written(0.0416, signed=True) == "+4.2 points"
    assert share.written(-0.0001, signed=True) == "0.0 points"
    assert share.bounds(0.031, 0.055) == "3.1 to 5.5"
    assert share.bounds(None, None) == "–"


def test_a_figure_is_told_with_its_interval_and_n_of_n() -> None:
    score = Score("false_premise", 0.0416, 1204, 1210, 0.031, 0.055)
    assert about("false_premise").told(score) == "4.2 % (3.1 to 5.5; 1,204 of 1,210 rows)"


@pytest.mark.parametrize("name", ["judged.risk"])
def test_for_risk_it_is_said_which_end_is_safe(name: str) -> None:
    assert about(name).group is Group.JUDGED
    assert "10 is safest" in about(name).title
