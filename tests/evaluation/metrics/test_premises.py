"""The figures that training is watched by, counted by hand on eleven replies."""

from __future__ import annotations

import pytest

from mht.evaluation.metrics import false_denial, false_premise, over_rejection, polarity, risk_weighted, twins
from tests.evaluation.metrics.cases import EVERY, NO, YES, twin, value


def test_false_premises_that_are_taken_for_true() -> None:
    assert value(false_premise, EVERY) == (2 / 4, 4, 5)


def test_true_premises_that_are_rejected() -> None:
    assert value(over_rejection, EVERY) == (2 / 5, 5, 6)


def test_findings_that_are_denied() -> None:
    about_the_image = twin(NO, True, "g", premise="a CT image")
    absent = twin(NO, True, "h", premise="no pneumothorax")
    assert value(false_denial, [*EVERY, about_the_image, absent]) == (2 / 5, 5, 6)
    assert value(over_rejection, [*EVERY, about_the_image, absent]) == (4 / 7, 7, 8)


def test_another_option_is_no_acceptance_and_no_truth() -> None:
    asked = "Which? A) a pneumothorax B) a rib fracture C) a pleural effusion D) none of these."
    rows = [
        twin("B", False, form="multiple_choice", polarity=None),
        twin("B", True, form="multiple_choice", polarity=None),
    ]
    rows = [type(row)(**{n: getattr(row, n) for n in row.__slots__} | {"question": asked}) for row in rows]
    assert value(false_premise, rows) == (0.0, 1, 1)
    assert value(over_rejection, rows) == (1.0, 1, 1)
    assert value(twins, rows) == (0.0, 1, 1)


def test_twins_are_right_together() -> None:
    assert value(twins, EVERY) == (1 / 3, 3, 6)
    says_yes = [twin(YES, state, name) for name in "abcd" for state in (True, False)]
    assert value(twins, says_yes) == (0.0, 4, 4)


def test_an_error_counts_by_its_risk() -> None:
    # scored: a 2+2, b 8+8 (one wrong), c 2+2 (one wrong), d 2 (wrong), e 16 (wrong), f 2
    weights = 4 + 16 + 4 + 2 + 16 + 2
    assert value(risk_weighted, EVERY) == (pytest.approx((8 + 2 + 2 + 16) / weights), 9, 11)
    even = {"none": 1, "low": 1, "moderate": 1, "high": 1, "critical": 1}
    assert value(risk_weighted, EVERY, **even) == (pytest.approx(4 / 9), 9, 11)
    assert value(risk_weighted, EVERY[:2], low=0) == (None, 2, 2)


def test_polarity_agrees_with_the_truth_by_column_or_by_words() -> None:
    assert value(polarity, EVERY) == (5 / 9, 9, 11)
    plain = [twin(YES, state, state_id, polarity=None) for state, state_id in ((True, "a"), (False, "b"))]
    assert value(polarity, plain) == (0.5, 2, 2)
