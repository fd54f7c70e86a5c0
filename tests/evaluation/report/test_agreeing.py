"""Judges beside each other and beside what is counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht.evaluation.agreement import length_bias
from mht.evaluation.judges.endpoint import answer_first
from mht.evaluation.report.agreeing import agreed, alone
from mht.evaluation.report.panel import ALONE, NONE, alone_cells
from mht.evaluation.report.worst import by_words
from mht.judgements import Judgement
from mht.predictions import Prediction
from tests.evaluation.metrics.cases import NO, YES, twin


def rows(scores: list[tuple[float | None, float | None]]) -> list[Prediction]:
    """Replies, every second one right, longer and longer, with the accuracy that two judges give; None: a failure."""
    made = []
    for at, given in enumerate(scores):
        row = twin(NO if at % 2 else YES, True, str(at))
        said = [_said(name, one) for name, one in zip("ab", given, strict=True)]
        made.append(
            replace(row, reply=str(row.reply) + " It is so." * at, row_id=str(at), judgements=tuple(said))
        )
    return made


def _said(name: str, accuracy: float | None) -> Judgement:
    if accuracy is None:
        return Judgement(name, failure="prose")
    return Judgement(name, accuracy, 11 - accuracy, accuracy, 5)


def test_the_same_judgements_agree_and_the_opposite_ones_do_not() -> None:
    same = {one.scale: one for one in agreed(rows([(1, 1), (4, 4), (10, 10)]))}
    assert same.keys() == {"accuracy", "relevance", "detail", "risk"}
    assert (same["accuracy"].kappa, same["accuracy"].spearman, same["accuracy"].error) == (
        1,
        pytest.approx(1),
        0,
    )
    assert (same["risk"].kappa, same["risk"].spearman) == (None, None)
    opposite = agreed(rows([(1, 10), (4, 4), (10, 1)]))[0]
    assert opposite.kappa is not None
    assert opposite.kappa < -0.5
    assert (opposite.spearman, opposite.error) == (pytest.approx(-1), 6)


def test_rows_that_one_of_them_left_out_are_counted_as_asked() -> None:
    told = agreed([*rows([(1, 1), (4, None), (10, 9.6), (None, 2)]), twin(None, True, "failed")])[0]
    assert (told.one, told.other, told.n, told.n_asked) == ("a", "b", 2, 4)
    assert told.kappa == 1  # 9.6 is 10 in whole points
    assert agreed(rows([(1, None), (None, 1)]))[0].error is None
    assert agreed([replace(row, judgements=row.judgements[:1]) for row in rows([(1, 1), (2, 2)])]) == ()


def test_a_judge_that_knows_what_is_right_has_a_brier_score_of_nought() -> None:
    given = rows([(10, 1), (1, 10), (10, 1), (1, 10)])
    assert list(by_words(given).values()) == [True, False, True, False]
    first, second = alone(given, {})
    assert (first.judge, first.brier, second.brier) == ("a", 0, 1)
    assert (first.n, first.n_told, first.n_asked) == (4, 4, 4)
    assert first.within is None


def test_what_moves_a_judge_beside_quality() -> None:
    longer = alone(rows([(1, 5), (2, 5), (3, 5), (4, 5)]), {})
    assert (longer[0].length, longer[1].length) == (pytest.approx(1), None)
    assert longer[0].first is None  # one of the four scales never varies
    moved = [
        replace(
            row, judgements=(Judgement("a", at + 1, at + 1, at + 1, at + 1, samples=2, spread=(2, 0, 0, 0)),)
        )
        for at, row in enumerate(rows([(1, 1)] * 3))
    ]
    (one,) = alone(moved, {})
    assert (one.first, one.within) == (pytest.approx(1), 2)
    assert (one.same, one.icc, one.n_again) == (0, pytest.approx((2 - 4) / (2 + 4)), 3)
    assert alone([row for row in moved if row.reply is None], {}) == ()
    probes = {"a": {"probes": {"planted": 3, "judged": 2, "followed": 1}}}
    assert (alone(moved, probes)[0].followed, alone(moved, probes)[0].planted) == (1, 2)


def test_length_at_equal_quality_is_by_the_other_judge_or_else_by_the_words() -> None:
    accuracies: list[tuple[float | None, float | None]] = [(3, 2), (1, 1), (6, 9), (8, 4), (9, None), (7, 7)]
    given = rows(accuracies)
    lengths = [float(len(str(row.reply))) for row in given]
    both = [at for at, (_, other) in enumerate(accuracies) if other is not None]
    mine, others = zip(*(accuracies[at] for at in both), strict=True)
    first, _ = alone(given, {})
    assert first.n_left == 5
    assert first.length_left == length_bias(mine, [lengths[at] for at in both], others)
    lone = [replace(row, judgements=row.judgements[:1]) for row in given]
    (only,) = alone(lone, {})
    right = [float(at % 2 == 0) for at in range(6)]
    assert only.n_left == 6
    assert only.length_left == length_bias([one for one, _ in accuracies if one], lengths, right)
    assert alone(rows([(1, 2), (3, 4)]), {})[0].length_left is None


def test_a_judge_that_follows_the_order_of_its_prompt_is_found_out() -> None:
    plain = rows([(1, 1)] * 12)
    keys = [f"{row.benchmark}/{row.row_id}" for row in plain]
    biased = [
        replace(row, judgements=(_said("a", 8 if answer_first(key, 1, 3) else 2),))
        for key, row in zip(keys, plain, strict=True)
    ]
    told = {"a": {"kind": "endpoint", "samples": 1}}
    assert alone(biased, told, 3)[0].order == pytest.approx(1)
    assert alone(biased, told)[0].order is None
    assert alone(biased, {"a": {"kind": "rubric"}}, 3)[0].order is None
    cells = dict(zip(ALONE, alone_cells(alone(biased, told, 3)[0]), strict=True))
    assert cells["Follows the order"] == "1.00 (12 rows)"
    assert cells["The same when asked again"] == NONE
