"""TRL's rows: messages, prompt and completion, prompt, chosen and rejected; what is not learnt and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mht.training.sources._listing import Understood
from mht.training.sources._unfit import Unfit
from mht.training.sources.trl import Params, understand
from tests.training.sources.test_json import VALUES

PARAMS = Params(path="x.jsonl", id="name")
IMAGE = {"type": "image", "text": None}


def user(*content: Any) -> dict[str, Any]:
    return _message("user", content)


def assistant(*content: Any) -> dict[str, Any]:
    return _message("assistant", content)


def _message(role: str, content: tuple[Any, ...]) -> dict[str, Any]:
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": role, "content": content[0]}
    parts = [{"type": "text", "text": part} if isinstance(part, str) else part for part in content]
    return {"role": role, "content": parts}


def said(found: Understood) -> list[tuple[str, str]]:
    return [(turn.question, turn.answer) for turn in found.turns]


ONE = [user(IMAGE, "Is it?")]
YES, NO = [assistant("Yes.")], [assistant("No.")]
SYSTEM = _message("system", ("Be brief.",))


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [*ONE, *YES], "images": ["a.jpg"]},
        {"messages": [user("Is it?"), assistant("Yes.")], "image": "a.jpg"},
        {"prompt": ONE, "completion": YES, "images": ["a.jpg"]},
        {"prompt": [user("<image>Is it?")], "completion": YES, "image": "a.jpg"},
        {"prompt": "Is it?", "completion": " Yes.", "image": {"bytes": None, "path": "a.jpg"}},
        {"prompt": ONE, "completion": YES, "images": ["a.jpg"], "messages": None, "chosen": None},
    ],
)
def test_a_question_and_its_answer(row: dict[str, Any]) -> None:
    found = understand({"name": "r1", **row}, PARAMS)
    assert said(found) == [("Is it?", "Yes.")]
    assert (found.id, found.image, found.rejected) == ("r1", "a.jpg", None)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": ONE, "chosen": YES, "rejected": NO},
        {"chosen": ONE + YES, "rejected": ONE + NO},
        {"prompt": "Is it?", "chosen": "Yes.", "rejected": "No."},
    ],
)
def test_a_wrong_answer_beside_the_right_one(row: dict[str, Any]) -> None:
    found = understand({"image": "a.jpg", **row}, PARAMS)
    assert said(found) == [("Is it?", "Yes.")]
    assert found.rejected == "No."


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [SYSTEM, *ONE, *YES]},
        {"prompt": [SYSTEM, *ONE], "completion": YES},
        {"prompt": [SYSTEM, *ONE], "chosen": YES, "rejected": NO},
        {"chosen": [SYSTEM, *ONE, *YES], "rejected": [SYSTEM, *ONE, *NO]},
    ],
)
def test_a_system_message_that_opens_is_said_before_the_first_question(row: dict[str, Any]) -> None:
    found = understand({"image": "a.jpg", **row}, PARAMS)
    assert said(found) == [("Is it?", "Yes.")]
    assert found.system == "Be brief."


def test_the_wrong_answer_is_to_the_last_question() -> None:
    before = [*ONE, *YES, user("Sure?")]
    found = understand({"image": "a.jpg", "prompt": before, "chosen": YES, "rejected": NO}, PARAMS)
    assert said(found) == [("Is it?", "Yes."), ("Sure?", "Yes.")]
    assert found.rejected == "No."


def test_without_an_image() -> None:
    assert understand({"prompt": "Is it?", "completion": "Yes.", "images": []}, PARAMS).image is None


UNFIT: list[tuple[str, dict[str, Any]]] = [
    ("several_images", {"images": ["a.jpg", "b.jpg"]}),
    ("several_images", {"prompt": [user(IMAGE, IMAGE, "Is it?")]}),
    ("image_not_named", {"images": []}),
    ("image_in_answer", {"completion": [assistant(IMAGE, "Yes.")]}),
    ("no_conversation", {"prompt": None, "completion": None}),
    ("not_in_turn", {"completion": None}),
    ("not_in_turn", {"prompt": None}),
    ("unknown_role", {"prompt": [{"role": "tool", "content": "Be brief."}, *ONE]}),
    ("not_in_turn", {"prompt": [*ONE, *YES, SYSTEM, user("Sure?")]}),
    ("not_in_turn", {"prompt": [SYSTEM, SYSTEM, *ONE]}),
    ("empty_system", {"prompt": [_message("system", ("",)), *ONE]}),
    ("image_in_system", {"prompt": [_message("system", (IMAGE, "Be brief.")), user("Is it?")]}),
    ("rejected_of_another_question", {"prompt": None, "chosen": [SYSTEM, *ONE, *YES], "rejected": ONE + NO}),
    ("unknown_role", {"prompt": [{"role": {}, "content": "Be brief."}]}),
    ("unknown_content", {"prompt": [user({"type": "video"}, "Is it?")]}),
    ("unknown_content", {"prompt": [user({"type": ["text"]}, "Is it?")]}),
    ("not_a_message", {"prompt": 7}),
    ("not_a_message", {"prompt": ["Is it?"]}),
    ("empty_question", {"prompt": [user(IMAGE, "")]}),
    ("empty_answer", {"completion": ""}),
    ("empty_answer", {"completion": [{"role": "assistant"}]}),
    ("empty_answer", {"rejected": [assistant(" ")]}),
    ("rejected_of_another_question", {"rejected": [assistant("No."), user("Sure?"), assistant("Yes.")]}),
]


@pytest.mark.parametrize(("reason", "changed"), UNFIT)
def test_what_cannot_be_learnt_has_a_reason(reason: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as caught:
        understand({"images": ["a.jpg"], "prompt": ONE, "completion": YES, **changed}, PARAMS)
    assert caught.value.reason == reason


MESSAGES = st.lists(
    st.fixed_dictionaries({"role": VALUES | st.just("user"), "content": VALUES | st.lists(VALUES)}) | VALUES
)
KEYS = ["messages", "prompt", "completion", "chosen", "rejected", "images", "image", "name"]


@given(st.dictionaries(st.sampled_from(KEYS), MESSAGES | VALUES))
def test_whatever_a_row_holds_it_is_understood_or_unfit(row: dict[str, Any]) -> None:
    try:
        found = understand(row, PARAMS)
    except Unfit:
        return
    assert all(turn.question and turn.answer for turn in found.turns)
