from dataclasses import replace

from mht.evaluation.report.chapter import Chapter
from mht.evaluation.report.groups import ALL, UNSAID, Grouping
from mht.evaluation.run import EvaluationRun
from mht.knowledge.risk import LEVELS
from tests.evaluation.metrics.cases import NO, YES, twin
from tests.evaluation.report.runs import INTERVALS, plain_rows


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
