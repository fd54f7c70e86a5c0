"""A question with what became of it is a row for the metrics, with all that the question has."""

from __future__ import annotations

from dataclasses import fields

import pytest

from mht.errors import InputError
from mht.predictions import Prediction
from mht.questions import ImageAt, Question, answered

TEXT = {
    field.name: f"the {field.name}" for field in fields(Question) if field.name not in ("image", "options")
}
QUESTION = Question(image=ImageAt("there"), options=("A ring", "A cross"), **TEXT)


def test_every_column_but_the_image_is_taken_over() -> None:
    row = answered(QUESTION, "A ring.", None, likelihood_yes=0.25)
    assert {name: getattr(row, name) for name in TEXT} == TEXT
    assert (row.options, row.reply, row.failure, row.likelihood_yes) == (
        QUESTION.options,
        "A ring.",
        None,
        0.25,
    )
    shared = {field.name for field in fields(Prediction)} & {field.name for field in fields(Question)}
    assert shared == set(TEXT) | {"options"}


def test_a_failure_has_no_reply() -> None:
    row = answered(QUESTION, None, "timeout")
    assert (row.reply, row.failure) == (None, "timeout")
    for reply, failure in ((None, None), ("Yes.", "timeout")):
        with pytest.raises(InputError, match="either a reply or a failure"):
            answered(QUESTION, reply, failure)
