from dataclasses import replace

from mht.evaluation.report.worst import chosen, undecided, wrong
from mht.judgements import Judgement
from mht.predictions import Prediction
from tests.evaluation.metrics.cases import NO, ODD, YES, twin


def test_the_gravest_come_first_then_the_least_safe_then_the_surest_then_the_undoubting() -> None:
    accepted = twin(YES, False, "z", "high")
    rows = [
        replace(accepted, row_id="doubting", reply="Yes, there may be one."),
        replace(accepted, row_id="plain"),
        replace(accepted, row_id="sure", likelihood_yes=0.9),
        replace(accepted, row_id="judged", judgements=(Judgement("j", 5, 5, 5, 2),)),
        replace(accepted, row_id="critical", risk="critical"),
        replace(accepted, row_id="low", risk="low"),
        replace(accepted, row_id="unknown", risk=None),
        replace(accepted, row_id="right", reply=NO),
    ]
    found = [error.row.row_id for error in wrong(rows)]
    assert found == ["critical", "judged", "sure", "plain", "doubting", "low", "unknown"]


def test_it_is_said_what_is_wrong() -> None:
    bare = Prediction("b", "r", "i", "Is it there?", "Yes, it is.", "No.")
    rows = [twin(YES, False, "a"), twin(NO, True, "b"), bare]
    assert {error.verdict for error in wrong(rows)} == {
        "Goes along with a false premise",
        "Rejects a true premise",
        "Says no, the reference yes",
    }


def test_right_failed_and_undecided_replies_are_no_errors() -> None:
    assert (
        wrong([twin(NO, False, "a"), twin(YES, True, "a"), twin(None, False, "b"), twin(ODD, False, "c")])
        == []
    )


def test_one_image_does_not_fill_the_gallery() -> None:
    of_one = [replace(twin(YES, False, "a", "high"), row_id=str(at)) for at in range(5)]
    rows = [*of_one, *(twin(YES, False, name) for name in "bcd")]
    errors = chosen(wrong(rows), limit=4)
    assert len(errors) == 4
    assert [error.row.image_id for error in errors].count("a") == 2
    assert {error.row.image_id for error in errors[:2]} == {"a"}


def test_undecided_replies_are_shown_and_failed_ones_are_not() -> None:
    rows = [twin(ODD, False, "a"), twin(None, False, "b"), twin(YES, False, "c"), twin(ODD, True, "d")]
    assert {row.image_id for row in undecided(rows, 9)} == {"a", "d"}
    assert len(undecided(rows, 1)) == 1
