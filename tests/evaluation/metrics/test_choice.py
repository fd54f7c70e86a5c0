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
    "", "E", "A and B", "A or C", "A, B", "B. Heart", "Answer is C because of the heart",
    "left lung or heart", "neither", "A fracture of the bone", "I do not know", "It is not the heart", "Hearty",
    "An answer is due.",
)  # fmt: skip

REPLIES: dict[str, str | None] = {
    "Option B is incorrect. The answer is C.": "C",
    "A is wrong, C is correct.": "C",
    "B is not correct; C is.": "C",
    "A. femoral head is incorrect, the right one is C. left lung and heart": "C",
    "Answer: (A) no, (C)": "C",
    "I choose D.": "D",
    "I would go with B.": "B",
    "I'd pick option C, because it fits best.": "C",
    "I think it's B.": "B",
    "I believe the answer is (D).": "D",
    "I don't think the answer is B. I would choose D": "D",
    "I do not believe that the answer is B.": None,
    "Not A, but B": "B",
    "It is not B but C.": "C",
    "Neither A nor B is correct, so C.": "C",
    "A and B are incorrect, therefore D.": "D",
    "A, B and C are wrong.": None,
    "Both A and C are correct.": None,
    "A and C are plausible, but C is more likely.": "C",
    "Options (A) and (B) can be ruled out, leaving (C).": "C",
    "We can eliminate A and B. C remains.": "C",
    "The correct answer is B. Option A is incorrect because it shows bone, and option D is less likely.": "B",
    "The answer is B. Option A refers to a bone, option C to two organs.": "B",
    "A: incorrect; B: correct; C: incorrect; D: incorrect": "B",
    "A. Femoral head - incorrect\nB. Left lung - correct\nD. Heart - incorrect": "B",
    "A) Femoral head\nB) Left lung\nC) Left lung and heart\nD) Heart\n\nThe answer is B.": "B",
    "A) Femoral head B) Left lung C) Left lung and heart D) Heart": None,
    "The image shows air and ribs.\n\nB": "B",
    "**Answer:** B": "B",
    '{"answer": "B"}': "B",
    "<answer>B</answer>": "B",
    "The answer is definitely C.": "C",
    "The answer is most likely option C.": "C",
    "The answer cannot be A.": None,
    "The answer is not B.": None,
    "The answer is either A or C.": None,
    "The answer is A or C.": None,
    "The answer is B, not C.": "B",
    "B, not C.": "B",
    "The answer is B? No, it is C.": "C",
    "It could be B or C.": None,
    "I'm not sure whether it is B.": None,
    "B, no doubt.": "B",
    "B. No other option fits.": "B",
    "B, a lobe of it is seen.": "B",
    "B rather than C": "B",
    "C instead of B.": "C",
    "The image shows (A) a bone and (D) a vessel. The answer is D.": "D",
    "Option (B) is the best choice.": "B",
    "D is the correct answer.": "D",
    "A is tempting. The answer is C.": "C",
    "The answer is A. Actually, A is wrong, it is C.": "C",
    "The answer is A. Wait, the answer is C.": None,
    "Left lung is incorrect. It is the heart.": "D",
    "The left lung is not the correct answer; the heart is.": "D",
    "B. Left lung is not enlarged here.": "B",
    "Femoral head is wrong": None,
    "(A) is ruled out; (D) fits.": "D",
    "Probably B.": "B",
    "Based on the density, I rule out the heart. The answer: left lung.": "B",
    "My answer would be C.": "C",
    "The most appropriate answer is (B) Left lung.": "B",
    "Because A is not shown, B is the answer.": "B",
    "The answer isn't A; it's D.": "D",
    "B is incorrect.": None,
    "All options but B are wrong.": None,
    "The patient has hepatitis B. The answer is D.": "D",
    "so a heart is seen": "D",
    "None of A, B or C.": None,
    "Answer: D (not A)": "D",
    "$$\\boxed{\\text{C}}$$": "C",
    "Answer: B\nExplanation: A is a bone. C includes other organs, which are not shown.": "B",
    "The options A, B and C do not match, so D.": "D",
    "The answer is B (A would show bone).": "B",
    "None of the options is right.": None,
    "The bone is intact, so femoral head (A) is unlikely. (B) is out. The shadow suggests the heart (D).": "D",
    "Correct answer: C. Incorrect answers: A, B, D.": "C",
    "I would rather choose B than C.": "B",
    "I select (C) over (A).": "C",
    "Yes, A.": "A",
    "The correct option isn't B. It's A.": "A",
    "C, although A cannot be excluded.": "C",
    "It's not A or B, so it must be C.": "C",
    "While B is tempting, C is the better choice.": "C",
}
"""As models reply, with the letter that is meant; None where none is, or more than one."""


@pytest.mark.parametrize(("reply", "at"), [*LETTER.items(), *TEXT.items()])
def test_an_option_is_picked_by_its_letter_or_its_text(reply: str, at: int) -> None:
    assert picked(reply, OPTIONS) == OPTIONS[at]


@pytest.mark.parametrize("reply", NEITHER)
def test_none_is_picked_where_none_or_two_are_said(reply: str) -> None:
    assert picked(reply, OPTIONS) is None


@pytest.mark.parametrize(("reply", "letter"), REPLIES.items())
def test_what_is_rejected_is_not_picked(reply: str, letter: str | None) -> None:
    assert picked(reply, OPTIONS) == (None if letter is None else OPTIONS["ABCD".index(letter)])


def test_yes_and_no_as_options_reject_nothing() -> None:
    for reply in ("B. No", "(B) No, it is not.", "No", "No, B"):
        assert picked(reply, ("Yes", "No")) == "No"
    assert picked("A. Yes, no doubt", ("Yes", "No")) == "Yes"


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
