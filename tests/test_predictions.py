"""A row has a reply or a failure, a figure its n of n asked; nothing stands for nothing."""

from __future__ import annotations

import numpy as np
import pytest

from mht.errors import InputError
from mht.predictions import (
    Measured,
    Prediction,
    Score,
    Unscored,
    divided,
    of_pair,
    ratio,
    score,
    share,
)
from tests.evaluation.rows import columns
from tests.pairing.corpus import pairs_of_phantoms


def row(row_id: str, reply: str | None, failure: str | None = None, group: str | None = None) -> Prediction:
    return Prediction("b", row_id, "i", "q", "t", reply, failure, group)


@pytest.mark.parametrize(("reply", "failure"), [(None, None), ("x", "timeout")])
def test_a_row_has_either_a_reply_or_a_failure(reply: str | None, failure: str | None) -> None:
    with pytest.raises(InputError, match="row '1' of 'b'"):
        row("1", reply, failure)


def test_rows_of_a_group_are_one_cluster() -> None:
    assert row("1", "x").cluster == "b/i"
    assert row("1", "x", group="p").cluster == "b/p"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("Yes, there is.", "Yes, there is."),
        (" kept as it came ", " kept as it came "),
        ("<think>maybe no</think> Yes", "Yes"),
        ("<THINKING>No.\nNo.</THINKING>\n\nYes.", "Yes."),
        ("No, I think not. Well.</think>\nYes", "Yes"),
        ("Yes.<think>or no?</think>", "Yes."),
        ("<think>a</think>b</think>Yes", "Yes"),
        ("<think>There is no end to", ""),
        ("<think>no</think>", ""),
        ("no</think>\n", ""),
        ("<think>no</think><answer>Yes</answer>", "Yes"),
        ("<answer>B</answer>", "B"),
        ("I think < 2 cm.", "I think < 2 cm."),
    ],
)
def test_the_answer_is_the_reply_without_its_reasoning(reply: str, answer: str) -> None:
    assert row("1", reply).answer == answer
    assert row("1", reply).reply == reply
    assert row("1", None, "timeout").answer == ""


def test_a_share_counts_what_is_missing_by_reason() -> None:
    rows = [
        row("1", "yes"),
        row("2", "no"),
        row("3", "?"),
        row("4", None, "timeout"),
        row("5", None, "oom"),
        row("0", "no"),
    ]

    def read(one: Prediction) -> float | Unscored:
        return {"yes": 1.0, "no": 0.0}.get(str(one.reply), Unscored.UNDECIDED)

    measured = share("x", rows, lambda one: one.row_id != "0", read)
    missing = (("failed_oom", 1), ("failed_timeout", 1), ("undecided", 1))
    assert score(measured) == Score("x", 0.5, 2, 5, unscored=missing)
    assert score(Measured("x", (), ratio(0, 1))) == Score("x", None, 0, 0)


def test_nothing_divided_by_nothing_is_no_number() -> None:
    assert np.array_equal(divided(np.array([0.0, 1.0]), np.array([0.0, 2.0])), [np.nan, 0.5], equal_nan=True)


def test_a_pair_makes_a_row() -> None:
    pair = pairs_of_phantoms(6)[0]
    made = of_pair(columns(pair), None, "timeout", group="p", benchmark="held_out")
    assert (made.row_id, made.truth, made.premise) == (pair.pair_id, pair.answer, pair.premise)
    assert (made.cluster, made.failure, made.rejected) == ("held_out/p", "timeout", pair.rejected)
