from mht.evaluation.report.headline import headlines
from mht.predictions import Score

ACCEPTED = Score("false_premise", 0.25, 400, 400, 0.2, 0.3)
REJECTED = Score("over_rejection", 40 / 398, 398, 400, 0.08, 0.12, (("undecided", 2),))


def test_both_ways_of_being_wrong_about_a_premise_stand_together() -> None:
    accepted, rejected = headlines([REJECTED, ACCEPTED], partial=False)
    assert accepted.text == "Accepts 25.0 % of false premises (20.0 to 30.0; 400 of 400 rows)"
    rows = "398 of 400 rows; 10.0 to 10.5 whatever the others say"
    assert rejected.text == f"Rejects 10.1 % of true premises (8.0 to 12.0; {rows})"


def test_a_headline_is_refused_where_requests_failed_and_its_bounds_are_told() -> None:
    cut = Score("false_premise", 0.25, 80, 100, 0.2, 0.3, (("failed_timeout", 15), ("undecided", 5)))
    [refused] = headlines([cut], partial=False)
    assert refused.value is None
    assert "25.0" not in refused.text
    assert "15 of 100 requests failed" in refused.text
    # 20 of the 80 were accepted: at least 20 of 100, at most 20 and the 20 that have no score.
    assert "the 20 rows without a score say, it lies from 20.0 % to 40.0 %" in refused.text


def test_who_takes_partial_figures_gets_them_with_n_of_n() -> None:
    cut = Score("false_premise", 0.25, 80, 100, 0.2, 0.3, (("failed_timeout", 20),))
    [taken] = headlines([cut], partial=True)
    rows = "80 of 100 rows; 20.0 to 40.0 whatever the others say"
    assert taken.text == f"Accepts 25.0 % of false premises (20.0 to 30.0; {rows})"


def test_without_premises_the_next_best_figure_is_told() -> None:
    nothing = Score("false_premise", None, 0, 0)
    [polar] = headlines([nothing, Score("rouge", 0.4, 9, 9), Score("polarity", 0.5, 8, 8)], partial=False)
    assert polar.text == "Says yes or no as the reference does in 50.0 % of the questions (8 of 8 rows)"
    [other] = headlines([nothing, Score("rouge", 0.4, 9, 9)], partial=False)
    assert other.text == "ROUGE-L: 0.400 (9 of 9 rows)"
    assert headlines([nothing], partial=False) == ()


def test_a_share_of_fewer_than_half_of_the_replies_is_no_headline() -> None:
    few = Score("polarity", 0.7, 10, 100, 0.4, 0.9, (("undecided", 90),))
    [refused] = headlines([few], partial=False)
    assert refused.value is None
    assert "no more than 10 of 100 replies can be read as either. Whatever the 90 rows" in refused.text
    assert refused.text.endswith("it lies from 7.0 % to 97.0 %.")
    [half] = headlines([Score("polarity", 0.7, 50, 100, unscored=(("undecided", 50),))], partial=False)
    assert half.value == 0.7
    [taken] = headlines([few], partial=True)
    assert taken.value == 0.7


def test_where_replies_are_undecided_the_figure_of_all_stands_beside() -> None:
    part = Score("polarity", 0.9, 60, 100, unscored=(("undecided", 40),))
    every = Score("polarity.of_all", 0.54, 100, 100)
    _, told = headlines([part, every], partial=False)
    assert told.text.startswith(
        "Does so in 54.0 % of all of them, a reply that says neither counted as wrong"
    )
    few = Score("polarity", 0.9, 99, 100, unscored=(("undecided", 1),))
    assert len(headlines([few, every], partial=False)) == 1


def test_no_reply_that_can_be_read_gives_no_number() -> None:
    [mute] = headlines([Score("false_premise", None, 0, 7, unscored=(("undecided", 7),))], partial=False)
    assert "none of 7 replies can be read as either" in mute.text


def test_of_several_judges_each_has_its_sentence() -> None:
    given = [
        Score(f"judged.{scale}.judge={name}", 6.5, 9, 9)
        for name in ("a", "b (m)")
        for scale in ("accuracy", "risk")
    ]
    assert [one.text for one in headlines(given, partial=False)] == [
        "Judged 6.50 of 10 for clinical accuracy by a (9 of 9 rows)",
        "Judged 6.50 of 10 for clinical accuracy by b (m) (9 of 9 rows)",
    ]
