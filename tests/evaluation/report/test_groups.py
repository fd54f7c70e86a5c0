import json
from dataclasses import replace

from mht.evaluation.report.chapter import Chapter, chapter
from mht.evaluation.report.groups import ALL, OTHERS, UNSAID, Grouping, Parts, principal
from mht.evaluation.report.plain import report_json, report_md
from mht.evaluation.report.sections import Section, sections
from mht.evaluation.run import EvaluationRun
from mht.knowledge.risk import LEVELS
from mht.predictions import Prediction
from tests.evaluation.metrics.cases import NO, YES, twin
from tests.evaluation.report.runs import INTERVALS, plain_rows, run_of
from tests.evaluation.rows import choices


def value(scores: object, name: str) -> tuple[float | None, int, int]:
    found = next(score for score in scores if score.name == name)  # type: ignore[attr-defined]
    return found.value, found.n, found.n_asked


def test_parts_count_by_hand() -> None:
    rows = [
        *(twin(YES, True, "a", type="laterality"), twin(YES, False, "a", type="laterality")),
        *(twin(NO, True, "b", type="size"), twin(NO, False, "b", type="size")),
        twin(None, False, "c", type="size"),
    ]
    left, size = Grouping(rows, INTERVALS).by("type")
    assert (left.word, left.accepted.value, left.rejected.value, left.wrong.value) == (
        "laterality",
        1,
        0,
        0.5,
    )
    assert (size.word, size.accepted.value, size.rejected.value) == ("size", 0, 1)
    assert (size.accepted.n, size.accepted.n_asked) == (1, 2)


def test_parts_and_cells_add_up_to_the_whole(told: Chapter, scored: EvaluationRun) -> None:
    whole = value(scored.scores["pairs"], "hallucination_rate")
    for parts in told.by.values():
        assert sum(part.wrong.n for part in parts) == whole[1]
        assert sum(part.wrong.n_asked for part in parts) == whole[2]
        assert {part.accepted.n_asked + part.rejected.n_asked == part.wrong.n_asked for part in parts} == {
            True
        }
    assert told.cross is not None
    inner = [score for at, score in told.cross.cells.items() if ALL not in at]
    assert sum(score.n for score in inner) == whole[1]
    corner = told.cross.cells[ALL, ALL]
    assert (corner.value, corner.n, corner.n_asked) == whole
    assert corner.low is not None


def test_levels_of_risk_come_in_their_order(told: Chapter) -> None:
    words = [part.word for part in told.by["risk"]]
    assert words == sorted(words, key=LEVELS.index)
    assert len(words) > 2


def test_what_is_not_known_is_a_group_of_its_own() -> None:
    rows = [twin(YES, False, "a", modality="ct"), twin(NO, False, "b")]
    assert [part.word for part in Grouping(rows, INTERVALS).by("modality")] == ["ct", UNSAID]


def test_one_word_is_no_breakdown_and_no_state_is_no_premise() -> None:
    for rows in ([twin(YES, False, "a"), twin(YES, True, "a")], plain_rows(), []):
        found = Grouping(rows, INTERVALS)
        assert found.by("type") == ()
        assert found.cross() is None


def test_one_type_of_several_kinds_of_image_has_no_row_for_all() -> None:
    rows = [twin(YES, False, "a", modality="ct"), twin(NO, False, "b", modality="mri")]
    found = Grouping(rows, INTERVALS).cross()
    assert found is not None
    assert (found.down, found.across) == (("existence",), ("ct", "mri", ALL))


def test_the_same_id_in_two_benchmarks_is_two_rows() -> None:
    one = twin(YES, False, "a", type="x")
    other = replace(one, benchmark="other", type="y", reply=NO)
    assert [part.accepted.value for part in Grouping([one, other], INTERVALS).by("type")] == [1, 0]


def asked(at: int, reply: str, type_: str, kind: str = "closed", **more: object) -> Prediction:
    truth = "left lung" if kind == "open" else "yes"
    made = Prediction("b", f"{kind}{at}", f"i{at}", "Is it?", truth, reply, type=type_, kind=kind)
    return replace(made, **more)  # type: ignore[arg-type]


def test_parts_of_a_benchmark_without_premises_count_by_hand() -> None:
    """As polls have them: yes-no accuracy of all replies by the file that they stand in."""
    rows = [
        *(asked(at, YES, "random") for at in range(3)),
        *(
            asked(3 + at, reply, "adversarial")
            for at, reply in enumerate((YES, NO, "Maybe so.", "It may be."))
        ),
    ]
    [found] = Parts(rows, INTERVALS).by("type")
    assert (found.name, found.column) == ("polarity.of_all", "type")
    assert [(word, score.value, score.n) for word, score in found.parts] == [
        ("adversarial", 0.25, 4),
        ("random", 1.0, 3),
    ]
    assert found.parts[0][1].low is not None
    assert Parts(rows, INTERVALS).by("site") == ()
    assert Parts(rows, INTERVALS).cross() is None


def test_closed_and_open_questions_have_parts_of_their_own() -> None:
    rows = [asked(at, YES, "abc"[at % 3], modality="ct" if at < 3 else "mri") for at in range(6)]
    rows += [asked(at, "left", "abc"[at % 3], "open", modality="ct") for at in range(6)]
    parts = Parts(rows, INTERVALS)
    closed, opened = parts.by("type")
    assert (closed.name, {score.value for _, score in closed.parts}) == ("vqa.closed", {1.0})
    assert (opened.name, {score.value for _, score in opened.parts}) == ("vqa.open_recall", {0.5})
    assert [one.name for one in parts.by("modality")] == ["vqa.closed"]
    cross = parts.cross()
    assert cross is not None
    assert (cross.name, cross.down, cross.across) == ("vqa.closed", ("a", "b", "c", ALL), ("ct", "mri", ALL))
    assert cross.cells[ALL, ALL].n == 6


def test_the_parts_of_a_choice_are_of_all_its_replies() -> None:
    rows = [replace(row, type=f"part {at % 2}", image_id=row.row_id) for at, row in enumerate(choices())]
    [found] = Parts(rows, INTERVALS).by("type")
    assert found.name == "choice.of_all"
    assert sum(score.n_asked for _, score in found.parts) == len(rows)


def test_the_rarest_of_many_words_are_one_part() -> None:
    rows = [asked(at, YES, f"t{min(at // 2, 59)}") for at in range(130)]
    [found] = Parts(rows, INTERVALS).by("type")
    assert (len(found.parts), found.parts[-1][0]) == (41, OTHERS)
    assert sum(score.n for _, score in found.parts) == 130


def test_rows_with_premises_are_cut_by_those_alone() -> None:
    rows = [twin(YES, False, "a", type="x"), twin(NO, False, "b", type="y")]
    assert principal(rows) == ()
    assert Parts(rows, INTERVALS).by("type") == ()


def test_parts_stand_in_every_report() -> None:
    rows = [asked(at, YES, ("random", "<b>")[at % 2], modality=("ct", "mri")[at // 2 % 2]) for at in range(8)]
    run = run_of({"b": rows}, blind=False)
    told = [chapter(run, "b", INTERVALS)]
    plain = json.loads(report_json(run, told, INTERVALS))["benchmarks"]["b"]
    assert [(one["column"], one["figure"]) for one in plain["by_part"]] == [
        ("type", "polarity.of_all"),
        ("modality", "polarity.of_all"),
    ]
    assert {part["n"] for part in plain["by_part"][0]["parts"]} == {4}
    assert len(plain["type_by_modality"]) == 9
    markdown = report_md(run, told, INTERVALS).decode()
    assert "Yes or no as in the reference, of all, by type:" in markdown
    assert "| random | 100.0 % |" in markdown
    found = {one.key: one.body for one in sections(told[0], Section("e", "E", "", ""), INTERVALS)}
    assert {"parts", "cross"} <= found.keys()
    assert "&lt;b&gt;" in found["parts"]
