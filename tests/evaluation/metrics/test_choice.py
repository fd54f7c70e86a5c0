"""Which option a reply picks, however it is written, and what is counted of it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht.evaluation.metrics import choice
from mht.evaluation.metrics._options import picked
from mht.predictions import Prediction, score

OPTIONS = ("Femoral head", "Left lung", "Left lung and heart", "Heart")
LETTER = {
    "A": 0, "a": 0, " (B) ": 1, "b)": 1, "C.": 2, "D:": 3, "**D**": 3, "Answer: B": 1, "The answer is B.": 1,
    "ANSWER: c": 2, "Answer - A": 0, "Option D": 3, "the correct option is (C)": 2, "The best choice would be D": 3,
    "$\\boxed{A}$": 0, "So \\boxed{\\text{B}}.": 1, "B is correct": 1, "B\nThe left lung is shown.": 1,
    "B. Left lung": 1, "The correct answer is D) Heart": 3, "A. Femoral head, not left lung": 0,
    "A: Femoral head because B is wrong": 0, "Based on the image, (C) is correct": 2,
    "The image shows a bone. Therefore, the answer is A.": 0,
}  # fmt: skip
TEXT = {
    "Femoral head": 0, "The femoral head.": 0, "It shows the LEFT lung": 1, "heart": 3, "left lung and heart": 2,
    "It is the left lung and the heart.": 2, "The answer is a left lung": 1, "A patient with a heart": 3,
    "I think it is not the heart but the femoral head": 0, "Femoral head rather than heart": 0,
}  # fmt: skip
NEITHER = (
    "", "E", "A and B", "A or C", "A, B", "Not A, but B", "B. Heart", "Answer is C because of the heart",
    "left lung or heart",
    "neither", "A fracture of the bone", "I do not know", "It is not the heart", "Hearty", "An answer is due.",
)  # fmt: skip


@pytest.mark.parametrize(("reply", "at"), [*LETTER.items(), *TEXT.items()])
def test_an_option_is_picked_by_its_letter_or_its_text(reply: str, at: int) -> None:
    assert picked(reply, OPTIONS) == OPTIONS[at]


@pytest.mark.parametrize("reply", NEITHER)
def test_none_is_picked_where_none_or_two_are_said(reply: str) -> None:
    assert picked(reply, OPTIONS) is None


def test_options_that_deny_or_are_numbers_are_read_as_they_stand() -> None:
    assert picked("I don't know", ("Yes", "I do not know", "None of the above")) == "I do not know"
    assert picked("None of the above.", ("Yes", "I do not know", "None of the above")) == "None of the above"
    assert picked("About 2.5 cm", ("2 cm", "2.5 cm", "25 cm")) == "2.5 cm"
    assert picked("I", tuple("abcdefghi")) == "i"
    assert picked("It is the same", ("the same", "The same", "another")) == "the same"


def row(reply: str | None, at: int, **more: object) -> Prediction:
    made = Prediction(
        "b",
        f"{reply}{at}",
        f"i{at}",
        "q",
        OPTIONS[at],
        reply,
        None if reply is not None else "timeout",
        options=OPTIONS,
    )
    return replace(made, **more)  # type: ignore[arg-type]


def values(rows: list[Prediction]) -> dict[str, tuple[float | None, int, int]]:
    found = [score(one) for one in choice.measure(rows, choice.Params())]
    return {one.name: (one.value, one.n, one.n_asked) for one in found}


def test_figures_counted_by_hand() -> None:
    """Two right, one wrong, one that picks two, one that failed; a question without options is not asked about."""
    rows = [
        row("A", 0),
        row("Heart", 3),
        row("B", 3),
        row("A or B", 1),
        row(None, 2),
        replace(row("A", 1), options=None),
    ]
    assert values(rows) == {
        "choice": (pytest.approx(2 / 3), 3, 5),
        "choice.of_all": (0.5, 4, 5),
        "choice.likelihood": (None, 0, 5),
        "choice.picked": (0.75, 4, 5),
        "choice.chance": (0.25, 4, 5),
    }


def test_the_likeliest_letter_counts_whatever_is_said() -> None:
    rows = [
        row("B", 0, likelihoods=(0.7, 0.1, 0.1, 0.1)),
        row("B", 1, likelihoods=(0.4, 0.4, 0.1, 0.1)),
        row("C", 2, likelihoods=(0.7, 0.1, 0.1, 0.1)),
    ]
    assert values(rows)["choice.likelihood"] == (pytest.approx(0.5), 3, 3)


def test_of_options_with_the_same_text_each_is_right() -> None:
    twice = ("left", "right", "Left", "none")
    rows = [row(letter, 0, options=twice, truth="left") for letter in "AC"]
    assert values(rows)["choice"] == (1, 2, 2)
    assert values(rows)["choice.chance"] == (0.5, 2, 2)
