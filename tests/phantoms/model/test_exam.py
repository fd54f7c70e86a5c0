"""The exam tells one that sees from one that says yes, and one that pleases from one that corrects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mht.phantoms.model.exam import Marks, examine


def _marks(reply: str) -> Marks:
    def always(pictures: Sequence[Any], questions: Sequence[str]) -> list[str]:
        assert len(pictures) == len(questions)
        return [reply] * len(questions)

    return examine(always, scenes=20, seed=2, side_px=32)


def test_who_always_says_yes_makes_everything_up_and_misses_nothing() -> None:
    marks = _marks("Yes. There is one.")
    assert (marks.false_negatives, marks.false_positives, marks.premises_accepted) == (0.0, 1.0, 1.0)


def test_who_always_says_no_misses_everything() -> None:
    marks = _marks("No. There is no such thing.")
    assert (marks.false_negatives, marks.false_positives, marks.premises_accepted) == (1.0, 0.0, 0.0)
    assert 5 <= marks.questions <= 20
