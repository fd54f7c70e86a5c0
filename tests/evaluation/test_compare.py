"""Two runs and more on the same rows: paired differences, ties, and what cannot be compared."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from mht.errors import InputError
from mht.evaluation.compare import CompareConfig, Comparison, Line, Verdict, compare, verdict
from mht.evaluation.intervals import Difference, difference
from mht.evaluation.metrics import false_premise
from mht.evaluation.report.figures import Better
from mht.evaluation.report.versus import comparison_json, comparison_page, comparison_text
from mht.evaluation.run import EvaluationRun
from mht.judgements import Judgement
from mht.predictions import Prediction
from tests.evaluation.metrics.cases import NO, ODD, YES, twin
from tests.evaluation.report.runs import HOSTILE, INTERVALS, run_of

CONFIG = CompareConfig(intervals=INTERVALS)
SHARED = CompareConfig(intervals=INTERVALS, rows="shared")
NAMES = [f"i{at:02}" for at in range(30)]


def asked(accepts: int, rejects: int = 0) -> list[Prediction]:
    """Thirty images with twins: so many accept the false premise, so many reject the true one."""
    return [
        row
        for at, name in enumerate(NAMES)
        for row in (
            twin(NO if at < rejects else YES, True, name),
            twin(YES if at < accepts else NO, False, name),
        )
    ]


def line(found: Comparison, name: str, benchmark: int = 0) -> Line:
    return next(one for one in found.benchmarks[benchmark].lines if one.first.name == name)


@pytest.fixture(scope="module")
def weak() -> EvaluationRun:
    return run_of({"b": asked(25)}, "weak")


@pytest.fixture(scope="module")
def strong() -> EvaluationRun:
    return run_of({"b": asked(5)}, "strong", blind=False)


def test_a_difference_is_the_paired_one_of_the_intervals(weak: EvaluationRun, strong: EvaluationRun) -> None:
    told = line(compare([weak, strong], CONFIG), "false_premise")
    [other] = told.others
    one, two = (
        false_premise.measure(run.benchmarks["b"], false_premise.Params())[0] for run in (strong, weak)
    )
    assert other.difference == difference(one, two, INTERVALS)
    assert other.difference.value == pytest.approx(-20 / 30)
    assert (told.first.value, other.score.value) == (pytest.approx(25 / 30), pytest.approx(5 / 30))
    assert other.verdict is Verdict.BETTER


def test_a_run_ties_with_itself_in_everything(weak: EvaluationRun) -> None:
    found = compare([weak, weak], CONFIG)
    assert found.names == ("weak (1)", "weak (2)")
    verdicts = {other.verdict for one in found.benchmarks[0].lines for other in one.others}
    assert verdicts <= {Verdict.TIE, Verdict.UNKNOWN}
    assert line(found, "false_premise").others[0].verdict is Verdict.TIE


def test_one_reply_more_in_thirty_is_a_tie(weak: EvaluationRun) -> None:
    other = line(
        compare([weak, run_of({"b": asked(24)}, "near", blind=False)], CONFIG), "false_premise"
    ).others[0]
    assert other.difference.value == pytest.approx(-1 / 30)
    assert other.verdict is Verdict.TIE


@pytest.mark.parametrize(
    ("bounds", "better", "due"),
    [
        ((-0.2, -0.1), Better.LOWER, Verdict.BETTER),
        ((-0.2, -0.1), Better.HIGHER, Verdict.WORSE),
        ((0.1, 0.2), Better.LOWER, Verdict.WORSE),
        ((0.1, 0.2), Better.HIGHER, Verdict.BETTER),
        ((0.1, 0.2), Better.NEITHER, Verdict.HIGHER),
        ((-0.2, -0.1), Better.NEITHER, Verdict.LOWER),
        ((0.0, 0.2), Better.HIGHER, Verdict.TIE),
        ((-0.2, 0.0), Better.HIGHER, Verdict.TIE),
        ((-0.1, 0.2), Better.NEITHER, Verdict.TIE),
        ((None, None), Better.HIGHER, Verdict.UNKNOWN),
    ],
)
def test_a_tie_is_an_interval_that_holds_nought(
    bounds: tuple[float | None, float | None], better: Better, due: Verdict
) -> None:
    assert verdict(Difference("x", 0.1, 9, 0, *bounds), better) is due


def test_values_are_of_the_rows_that_both_have_scored(weak: EvaluationRun) -> None:
    rows = asked(5)
    rows[1], rows[3] = replace(rows[1], reply=ODD), replace(rows[3], reply=None, failure="timeout")
    [other] = line(compare([weak, run_of({"b": rows}, "odd", blind=False)], CONFIG), "false_premise").others
    assert (other.first.n, other.first.n_asked, other.score.n) == (28, 30, 28)
    assert (other.first.value, other.score.value) == (pytest.approx(23 / 28), pytest.approx(3 / 28))
    assert other.difference.value == pytest.approx(-20 / 28)


def test_rows_that_one_run_was_not_asked_are_refused_or_left_out_with_a_word(weak: EvaluationRun) -> None:
    fewer = run_of({"b": asked(5)[:-2]}, "fewer", blind=False)
    with pytest.raises(InputError, match=r"2 rows of 'b' were not asked in every run .*rows=shared"):
        compare([weak, fewer], CONFIG)
    found = compare([weak, fewer], SHARED).benchmarks[0]
    assert (found.rows, found.clusters) == (58, 29)
    assert found.messages == ("2 rows that not every run was asked are left out; 58 are compared.",)


def test_another_question_under_the_same_id_is_refused_always(weak: EvaluationRun) -> None:
    rows = asked(5)
    rows[0] = replace(rows[0], question="Is there a fracture?")
    for config in (CONFIG, SHARED):
        with pytest.raises(InputError, match="is another question in one of the runs"):
            compare([weak, run_of({"b": rows}, "other", blind=False)], config)


def test_benchmarks_that_not_all_were_asked(weak: EvaluationRun) -> None:
    more = run_of({"b": asked(5), "c": asked(5)[:4]}, "more", blind=False)
    with pytest.raises(InputError, match="not all runs were asked c"):
        compare([weak, more], CONFIG)
    found = compare([weak, more], SHARED)
    assert [one.name for one in found.benchmarks] == ["b"]
    assert found.messages == ("Not compared, since not all runs were asked it: c.",)
    with pytest.raises(InputError, match="no benchmark in common"):
        compare([weak, run_of({"z": asked(1)[:2]}, blind=False)], SHARED)
    with pytest.raises(InputError, match="Name two runs"):
        compare([weak], CONFIG)


def judged(judge: str, risk: float) -> EvaluationRun:
    rows = [replace(row, judgements=(Judgement(judge, 5, 5, 5, risk),)) for row in asked(9)]
    return run_of({"b": rows}, judge, blind=False)


def test_scores_of_two_judges_are_not_compared_and_it_says_so() -> None:
    found = compare([judged("a", 3), judged("b", 4)], CONFIG).benchmarks[0]
    assert [one for one in found.lines if one.first.name.startswith("judged")] == []
    assert found.messages == ("Judged scores are not compared: they are by different judges (a; b).",)
    same = compare([judged("a", 3), judged("a", 4)], CONFIG)
    assert line(same, "judged.risk").others[0].verdict is Verdict.BETTER


def both(a: float, b: float, version: int = 1) -> EvaluationRun:
    """Judged by two."""
    said = Judgement("a", 5, 5, 5, a), Judgement("b", 5, 5, 5, b)
    run = run_of({"b": [replace(row, judgements=said) for row in asked(9)]}, blind=False)
    return replace(run, judges={"a": {"prompt": 1, "spent": {"calls": version}}, "b": {"prompt": version}})


def test_each_judge_of_both_runs_is_compared_by_itself() -> None:
    found = compare([both(3, 8), both(4, 7)], CONFIG).benchmarks[0]
    told = {one.about.title: one.others[0].verdict for one in found.lines if one.first.name == "judged.risk"}
    assert told == {"Risk, 10 is safest (a)": Verdict.BETTER, "Risk, 10 is safest (b)": Verdict.WORSE}
    assert found.messages == ()


def test_one_name_with_another_prompt_is_another_judge() -> None:
    found = compare([both(3, 8), both(4, 7, version=2)], CONFIG).benchmarks[0]
    assert [one.about.title for one in found.lines if one.first.name == "judged.risk"] == [
        "Risk, 10 is safest"
    ]
    assert found.messages[0].startswith("Judged scores of others than a are not compared")


def test_each_further_run_is_compared_with_the_first(weak: EvaluationRun, strong: EvaluationRun) -> None:
    no = run_of({"b": asked(0, rejects=30)}, "always no", blind=False)
    found = compare([weak, strong, no], CONFIG)
    assert [other.verdict for other in line(found, "over_rejection").others] == [Verdict.TIE, Verdict.WORSE]
    text = comparison_page(found, INTERVALS).decode()
    assert "True premises rejected, always no: " in text
    assert text.count('class="nought"') == sum(len(one.others) for one in found.benchmarks[0].lines)


def test_lexical_figures_come_last_with_the_blind_baselines(
    weak: EvaluationRun, strong: EvaluationRun
) -> None:
    found = compare([weak, strong], CONFIG)
    told = [one.first.name for one in found.benchmarks[0].lines]
    assert told.index("rouge") > told.index("twins")
    assert told[0] == "false_premise"
    assert set(line(found, "rouge").blind) == {"echo_yes", "echo_no", "question_only", "caption"}
    assert line(found, "false_premise").blind == {}
    assert "Blind: echo yes 0." in comparison_page(found, INTERVALS).decode()
    assert "blind: echo yes 0." in comparison_text(found, INTERVALS)


def weighed(weight: float) -> EvaluationRun:
    """Accepts 5 false premises of 30, and an error at the highest risk counts so much."""
    rows = [*asked(5)[:20], *(replace(row, risk="critical") for row in asked(5)[20:])]
    run = run_of({"b": rows}, "w", blind=False)
    return replace(run, config={"partial": False, "metrics": {"risk_weighted": {"critical": weight}}})


def test_settings_of_a_metric_are_those_of_the_runs() -> None:
    found = compare([weighed(0.0), weighed(0.0)], CONFIG)
    assert line(found, "risk_weighted").first.value == pytest.approx(5 / 20)
    assert found.benchmarks[0].messages == ()


def test_runs_that_were_scored_by_other_settings_are_measured_by_the_first_ones() -> None:
    for one, other, value in ((0.0, 9.0, 5 / 20), (9.0, 0.0, 5 * 2 / (20 * 2 + 40 * 9))):
        found = compare([weighed(one), weighed(other)], CONFIG)
        [against] = line(found, "risk_weighted").others
        assert (against.first.value, against.score.value) == (pytest.approx(value),) * 2
        assert against.verdict is Verdict.TIE
        assert found.benchmarks[0].messages == (
            "risk_weighted: the runs were scored by other settings (critical); here all of them are by the first "
            "run's.",
        )


def test_a_setting_that_is_given_and_one_by_default_are_the_same(weak: EvaluationRun) -> None:
    given = replace(weak, config={"partial": False, "metrics": {"rouge": {"stemmer": False}}})
    assert compare([weak, given], CONFIG).benchmarks[0].messages == ()
    given = replace(weak, config={"partial": False, "metrics": {"rouge": {"stemmer": True}}})
    found = compare([weak, given], CONFIG)
    assert {one.verdict for one in line(found, "rouge").others} == {Verdict.TIE}
    assert "rouge: the runs were scored by other settings (stemmer)" in found.benchmarks[0].messages[0]


def test_settings_that_are_not_taken_leave_a_word_and_the_other_figures(weak: EvaluationRun) -> None:
    odd = replace(weak, config={"partial": False, "metrics": {"twins": {"unheard_of": 1}}})
    found = compare([odd, odd], CONFIG).benchmarks[0]
    assert "twins" not in [one.first.name for one in found.lines]
    assert any(message.startswith("Not compared: twins") for message in found.messages)
    assert len(found.lines) > 10


def test_the_terminal_gets_a_table_and_no_control_character(weak: EvaluationRun) -> None:
    named = run_of({"b": asked(5)}, HOSTILE, blind=False)
    text = comparison_text(compare([weak, named], CONFIG), INTERVALS)
    assert not set("\x1b\u202e") & set(text)
    [row] = [each for each in text.splitlines() if "False premises accepted" in each]
    assert row.split()[3:] == [
        "83.3",
        "%",
        "16.7",
        "%",
        "−66.7",
        "points",
        *row.split()[9:12],
        "30",
        "of",
        "30",
        "better",
    ]
    assert re.search(
        r"better, worse: hold for all \d+ comparisons together \(Holm, p at most 0\.05\); each interval is by itself$",
        text,
    )


def test_a_name_is_text_on_the_page(weak: EvaluationRun) -> None:
    named = run_of({"b": asked(5)}, HOSTILE, blind=False)
    page = comparison_page(compare([weak, named], CONFIG), INTERVALS).decode()
    assert "<script" not in page
    assert "\x1b" not in page


def test_a_difference_that_one_of_many_may_show_by_chance_is_a_tie(weak: EvaluationRun) -> None:
    """Five images of thirty better: its own interval leaves 0 out, and among all figures of the page it is no news."""
    found = compare([weak, run_of({"b": asked(20)}, "near", blind=False)], CONFIG)
    other = line(found, "false_premise").others[0]
    assert other.difference.high is not None
    assert other.difference.high < 0
    assert other.difference.p is not None
    assert other.p is not None
    assert other.difference.p < 0.05 < other.p
    assert other.verdict is Verdict.TIE


def test_verdicts_among_more_comparisons_are_fewer_and_never_more(
    weak: EvaluationRun, strong: EvaluationRun
) -> None:
    two, three = compare([weak, strong], CONFIG), compare([weak, strong, strong], CONFIG)
    for few, many in zip(two.benchmarks[0].lines, three.benchmarks[0].lines, strict=True):
        one, other = few.others[0], many.others[0]
        assert (one.p is None) == (other.p is None)
        assert one.p is None or (other.p is not None and one.difference.p is not None)
        assert one.p is None or one.difference.p <= one.p <= other.p  # type: ignore[operator]
    assert len(three.against) == 2 * len(two.against)


def test_json_has_every_difference(weak: EvaluationRun, strong: EvaluationRun) -> None:
    plain = json.loads(comparison_json(compare([weak, strong], CONFIG), INTERVALS))
    [first, *_] = plain["benchmarks"]["b"]["figures"]
    assert first["name"] == "false_premise"
    other = first["others"]["strong"]
    assert other["verdict"] == "better"
    assert {"value", "low", "high", "n", "left_out", "p"} <= set(other["difference"])


def test_no_row_at_all_is_no_error() -> None:
    found = compare([run_of({"b": []}, "one"), run_of({"b": []}, "two")], CONFIG)
    assert found.benchmarks[0].lines == ()
    assert "0 questions" in comparison_page(found, INTERVALS).decode()
