"""LLaVA's rows: which are learnt and how, which are not and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mht.training.sources._listing import Understood
from mht.training.sources._unfit import Unfit
from mht.training.sources.llava import Params, understand
from tests.training.sources.test_json import VALUES

PARAMS = Params(path="x.json")
YES = {"from": "gpt", "value": "Yes."}
SYSTEM = {"from": "system", "value": "Be brief."}


def human(text: Any) -> dict[str, Any]:
    return {"from": "human", "value": text}


def made(*messages: Any, **row: Any) -> Understood:
    return understand({"image": "a.jpg", "conversations": list(messages), **row}, PARAMS)


@pytest.mark.parametrize(
    "text", ["<image>\nIs it?", "Is it?\n<image>", "<image>Is it?", "Is it?", " <image>\n Is it? \n"]
)
def test_the_image_s_mark_is_no_part_of_the_question(text: str) -> None:
    (turn,) = made(human(text), YES).turns
    assert (turn.question, turn.answer) == ("Is it?", "Yes.")


def test_turns_follow_each_other() -> None:
    found = made(human("<image>\nOne?"), YES, human("Two?"), {"from": "gpt", "value": "No.\n"}, id=7)
    assert [(t.question, t.answer) for t in found.turns] == [("One?", "Yes."), ("Two?", "No.")]
    assert (found.id, found.image) == (7, "a.jpg")


def test_a_system_message_that_opens_is_said_before_the_first_question() -> None:
    found = made(SYSTEM, human("<image>\nOne?"), YES)
    assert (found.system, len(found.turns)) == ("Be brief.", 1)
    assert made(human("One?"), YES).system is None


def test_an_answer_that_opens_is_passed_over() -> None:
    assert len(made(YES, human("<image>\nOne?"), YES).turns) == 1


@pytest.mark.parametrize("image", [None, "", []])
def test_a_row_without_an_image_is_learnt(image: Any) -> None:
    assert made(human("One?"), YES, image=image).image is None


def test_some_releases_spell_the_conversation_otherwise() -> None:
    row = {"conversatons": [human("One?"), YES]}
    assert understand(row, Params(path="x", conversations="conversatons")).turns[0].answer == "Yes."


UNFIT: list[tuple[str, dict[str, Any]]] = [
    ("several_images", {"image": ["a.jpg", "b.jpg"]}),
    ("several_images", {"conversations": [human("<image><image> One?"), YES]}),
    ("image_not_named", {"image": None}),
    ("image_after_first_question", {"conversations": [human("One?"), YES, human("<image>\nTwo?"), YES]}),
    ("image_in_answer", {"conversations": [human("One?"), {"from": "gpt", "value": "<image> Yes"}]}),
    ("not_an_image", {"image": 7}),
    ("no_conversation", {"conversations": None}),
    ("no_conversation", {"conversations": "One? Yes."}),
    ("no_conversation", {"conversations": []}),
    ("no_conversation", {"conversations": [YES]}),
    ("not_in_turn", {"conversations": [human("One?")]}),
    ("not_in_turn", {"conversations": [human("One?"), human("Two?"), YES, YES]}),
    ("unknown_speaker", {"conversations": [{"from": "tool", "value": "Be brief."}, human("One?"), YES]}),
    ("not_in_turn", {"conversations": [human("One?"), YES, SYSTEM, human("Two?"), YES]}),
    ("empty_system", {"conversations": [{"from": "system", "value": " "}, human("One?"), YES]}),
    ("image_in_system", {"conversations": [{"from": "system", "value": "<image> a"}, human("One?"), YES]}),
    ("unknown_speaker", {"conversations": [{"from": ["human"], "value": "One?"}, YES]}),
    ("not_a_message", {"conversations": ["One?", "Yes."]}),
    ("not_a_message", {"conversations": [{"from": "human"}, YES]}),
    ("empty_question", {"conversations": [human("<image>\n"), YES]}),
    ("empty_answer", {"conversations": [human("One?"), {"from": "gpt", "value": " \n"}]}),
    ("empty_answer", {"conversations": [human("One?"), {"from": "gpt", "value": None}]}),
    ("not_text", {"conversations": [human({"text": "One?"}), YES]}),
    ("not_unicode", {"conversations": [human("One \ud800?"), YES]}),
]


@pytest.mark.parametrize(("reason", "changed"), UNFIT)
def test_what_cannot_be_learnt_has_a_reason(reason: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as caught:
        understand({"image": "a.jpg", "conversations": [human("<image>\nOne?"), YES], **changed}, PARAMS)
    assert caught.value.reason == reason


MESSAGES = st.lists(VALUES | st.fixed_dictionaries({"from": VALUES | st.just("human"), "value": VALUES}))


@given(st.dictionaries(st.sampled_from(["id", "image"]), VALUES), MESSAGES)
def test_whatever_a_row_holds_it_is_understood_or_unfit(row: dict[str, Any], messages: list[Any]) -> None:
    try:
        found = understand({**row, "conversations": messages}, PARAMS)
    except Unfit:
        return
    assert all(turn.question and turn.answer for turn in found.turns)
