"""What blind replies say: the answer that is right most often, of each kind of question."""

from __future__ import annotations

from mht.config_evaluate import BaselinesConfig
from mht.evaluation.baselines import cheap, majority
from mht.evaluation.metrics import polarity
from mht.questions import Question


def question(at: int, truth: str, kind: str = "open", **more: object) -> Question:
    return Question("b", str(at), f"i{at}", None, "q", truth, kind, **more)  # type: ignore[arg-type]


def test_the_majority_is_of_the_same_kind_of_question() -> None:
    options = ("lung", "heart", "liver")
    asked = [
        *(question(at, word, "closed", polarity=word) for at, word in enumerate(("yes", "no", "no"))),
        *(
            question(10 + at, text, "choice", options=options)
            for at, text in enumerate(("heart", "lung", "Heart"))
        ),
        *(question(20 + at, text) for at, text in enumerate(("axial", "CT", "ct", "left"))),
        question(30, "lung", "choice", options=("liver", "lung")),
    ]
    said = [(row.row_id, row.reply, row.failure) for row in majority(asked)]
    assert said == [
        *((str(at), "No", None) for at in range(3)),
        *((str(10 + at), "B", None) for at in range(3)),
        *((str(20 + at), "ct", None) for at in range(4)),
        ("30", None, "no_majority"),
    ]


def test_of_two_as_frequent_answers_the_order_of_the_questions_decides_nothing() -> None:
    asked = [
        question(at, word, "closed", polarity=word) for at, word in enumerate(("yes", "no", "yes", "no"))
    ]
    assert {row.reply for row in majority(asked)} == {row.reply for row in majority(asked[::-1])} == {"No"}


def test_the_echo_leaves_out_what_asks_for_yes_or_no() -> None:
    asked = Question("b", "0", "i", None, "Is it so? Answer with yes or no.", "no", "closed", polarity="no")
    found = cheap(BaselinesConfig(), [asked], "Answer with yes or no.")
    said = [found[name][0].prediction for name in ("echo_yes", "echo_no")]
    assert [row.reply for row in said] == ["Yes, Is it so?", "No, Is it so?"]
    assert [polarity.score(row) for row in said] == [0, 1]


def test_which_baselines_there_are() -> None:
    asked = [question(0, "axial"), question(1, "axial", caption="a CT")]
    assert list(cheap(BaselinesConfig(), asked)) == ["echo_yes", "echo_no", "caption", "majority"]
    assert list(cheap(BaselinesConfig(echo=False, majority=False), asked)) == ["caption"]
    assert list(cheap(BaselinesConfig(echo=False), [question(0, "axial"), question(1, "left")])) == []
