import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mht.replies import Kind, Unusable, degenerate, echoed, parse, refused

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["yes", "no"]},
        "reason": {"type": "string", "minLength": 2, "maxLength": 40},
        "score": {"type": "integer", "minimum": 1, "maximum": 10},
        "share": {"type": "number", "minimum": 0, "maximum": 1},
        "sure": {"type": "boolean"},
        "findings": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 3},
    },
    "required": ["verdict", "score"],
    "additionalProperties": False,
}
GOOD = {"verdict": "no", "score": 7}


def kind(text: str, schema: dict[str, Any] = SCHEMA) -> Kind | None:
    found = parse(text, schema)
    return found.kind if isinstance(found, Unusable) else None


@pytest.mark.parametrize(
    "text",
    [
        '{"verdict": "no", "score": 7}',
        ' \n{"score":7,"verdict":"no"}\n',
        '```json\n{"verdict": "no", "score": 7}\n```',
        '```\n{"verdict": "no", "score": 7}\n```\n',
        '```JSON\r\n{"verdict": "no", "score": 7}\r\n```',
    ],
)
def test_an_object_alone_or_in_one_fence_is_read(text: str) -> None:
    assert parse(text, SCHEMA) == GOOD


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", Kind.EMPTY),
        ("   \n", Kind.EMPTY),
        ("```json\n```", Kind.EMPTY),
        ("The effusion is on the left.", Kind.PROSE),
        ("5 findings are listed.", Kind.PROSE),
        ("[INST] Answer. [/INST]", Kind.PROSE),
        ('Here it is: {"verdict": "no", "score": 7}', Kind.JSON_IN_PROSE),
        ('{"verdict": "no", "score": 7} I hope this helps.', Kind.JSON_IN_PROSE),
        ('{"verdict": "no", "score": 7}{"verdict": "yes", "score": 1}', Kind.JSON_IN_PROSE),
        ('Sure!\n```json\n{"verdict": "no", "score": 7}\n```', Kind.JSON_IN_PROSE),
        ('```json\n{"score": 7}\n```\n```json\n{"score": 8}\n```', Kind.JSON_IN_PROSE),
        ('Set {a, b}: {"verdict": "no", "score": 7}', Kind.JSON_IN_PROSE),
        ('{"verdict": "no", "score"', Kind.BROKEN_JSON),
        ("{'verdict': 'no', 'score': 7}", Kind.BROKEN_JSON),
        ('{"verdict": "no", "score": 7,}', Kind.BROKEN_JSON),
        ('{"a":' * 3000, Kind.BROKEN_JSON),
        ('{"verdict": "no", "verdict": "yes", "score": 7}', Kind.DUPLICATE_KEY),
        ('{"verdict": "no", "score": NaN}', Kind.NOT_A_NUMBER),
        ('{"verdict": "no", "score": 7, "share": -Infinity}', Kind.NOT_A_NUMBER),
        ('{"verdict": "no", "score": 7, "share": 1e999}', Kind.NOT_A_NUMBER),
        ('{"verdict": "no", "score": ' + "9" * 5000 + "}", Kind.NOT_A_NUMBER),
        ("NaN", Kind.NOT_A_NUMBER),
        ('{"verdict": "no", "score": 7, "reason": "\\ud800x"}', Kind.NOT_UNICODE),
        ('{"verdict": "no", "score": 7, "reason": "\ud800x"}', Kind.NOT_UNICODE),
        ("[1, 2]", Kind.WRONG_SCHEMA),
        ('"yes"', Kind.WRONG_SCHEMA),
        ("null", Kind.WRONG_SCHEMA),
        ('{"verdict": "maybe", "score": 7}', Kind.WRONG_SCHEMA),
        ('{"verdict": "No", "score": 7}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": "7"}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7.0}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": true}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": null}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 0}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 11}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no"}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "note": "x"}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "sure": 1}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "reason": "x"}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "findings": []}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "findings": ["a", 2]}', Kind.WRONG_SCHEMA),
        ('{"verdict": "no", "score": 7, "reason": "' + "x" * 41 + '"}', Kind.WRONG_SCHEMA),
        ("x" * 20_001, Kind.TOO_LONG),
        (" " * 20_001, Kind.TOO_LONG),
    ],
)  # fmt: skip
def test_every_other_text_is_unusable_for_a_named_reason(text: str, expected: Kind) -> None:
    assert kind(text) is expected


def test_a_whole_number_is_a_number_and_an_escaped_pair_is_a_character() -> None:
    text = '{"verdict": "no", "score": 7, "share": 1, "reason": "\\ud83d\\ude00!"}'
    assert parse(text, SCHEMA) == {**GOOD, "share": 1, "reason": "\U0001f600!"}


def test_a_detail_says_where_and_quotes_nothing_of_the_reply() -> None:
    for text in (
        '{"verdict": "JANE DOE", "score": 7}',
        '{"verdict": "no", "score": 7, "JANE DOE": 1}',
        '{"verdict": "no", "score": 7, "findings": ["JANE DOE", 3]}',
        "JANE DOE has an effusion",
        'JANE DOE: {"verdict": "no"}',
        '{"JANE DOE',
    ):
        found = parse(text, SCHEMA)
        assert isinstance(found, Unusable)
        assert "JANE" not in found.detail
    assert parse('{"verdict": "no", "score": 12}', SCHEMA) == Unusable(
        Kind.WRONG_SCHEMA, "$.score is over 10"
    )


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {"properties": {}},
        {"type": "object", "properties": {"a": {"type": "string", "pattern": "x"}}},
        {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
        {"type": "object", "properties": {"a": {"type": "array", "items": {"$ref": "#"}}}},
        {"type": "object", "patternProperties": {}},
    ],
)
def test_a_schema_with_what_is_not_checked_is_the_callers_mistake(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"schema at \$"):
        parse("prose", schema)


VALUES = st.fixed_dictionaries(
    {"verdict": st.sampled_from(["yes", "no"]), "score": st.integers(1, 10)},
    optional={
        "reason": st.text(st.characters(exclude_categories=["Cs"]), min_size=2, max_size=40),
        "share": st.floats(0, 1),
        "sure": st.booleans(),
        "findings": st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=3),
    },
)


@given(VALUES, st.booleans(), st.booleans())
def test_what_keeps_to_the_schema_comes_back_as_it_was(
    value: dict[str, Any], ascii_only: bool, fence: bool
) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    if fence and "```" not in text:
        text = f"```json\n{text}\n```"
    assert parse(text, SCHEMA) == value


@settings(max_examples=200)
@given(st.one_of(st.text(max_size=60), st.text('{}[]"`:,\\ \nverdict17.eNaI-', max_size=40)))
def test_any_text_ends_as_an_object_of_the_schema_or_as_unusable(text: str) -> None:
    found = parse(text, SCHEMA)
    assert isinstance(found, Unusable) or set(GOOD) <= set(found)


CAPTIONS = (
    "PA chest radiograph. There is no evidence of pneumothorax. There is no evidence of pleural effusion. "
    "There is no evidence of consolidation. There is no evidence of acute fracture.",
    "Small left pleural effusion. I cannot exclude a small right effusion; the costophrenic angle is not included.",
    "Unable to assess the left base because of the overlying device. The right lung is clear.",
    "I could not see a fracture line, but the soft tissues are swollen around the lateral malleolus.",
    "Axial T2-weighted MRI of the brain shows a hyperintense lesion in the left temporal lobe with mild oedema.",
    "The image cannot be compared with earlier studies. Cardiomegaly, unchanged. Sternal wires are intact.",
    "No, the effusion is on the left, not on the right. The right costophrenic angle is sharp.",
    "Normal.",
    "No acute findings",
    "3.5 cm mass, right upper lobe.",
    "Levels C3/C4, C4/C5, C5/C6 and C6/C7 show disc protrusions; at C3/C4 mild, at C4/C5 moderate, at C5/C6 "
    "moderate, at C6/C7 severe with narrowing of the foramen on the left at C5/C6 and on both sides at C6/C7.",
    "Lungs are clear. Heart size is normal. Mediastinal contours are normal. Pleural spaces are clear. Bones are "
    "normal. Lines: right internal jugular line with its tip in the superior vena cava. Tubes: none.",
    "I'm sorry to say that the tube is misplaced: its tip lies in the right main bronchus.",
)  # fmt: skip
PROMPT = (
    "Describe the medical image in two or three sentences. Name the modality, the region and each abnormal finding "
    "with its side. Do not mention what cannot be seen. Answer with the description only."
)


@pytest.mark.parametrize("caption", CAPTIONS)
def test_good_captions_are_taken_for_nothing_else(caption: str) -> None:
    assert (refused(caption), echoed(caption, PROMPT), degenerate(caption)) == (False, False, False)


@pytest.mark.parametrize(
    "text",
    [
        "I cannot interpret the image.",
        "I can't help with that request.",
        "I\u2019m sorry, but I can\u2019t assist with medical images.",
        "Sorry, I am unable to provide a medical diagnosis.",
        "I'm not able to analyze X-ray images directly.",
        "As an AI, I do not have eyes, but the image may show a lung.",
        "As a large language model I have no access to images.",
        "Unable to interpret the image.",
        "I am unable to interpret the image.",
        "I cannot see the image you mention.",
        "I don't see an image in your message.",
        "No image was provided.",
        "Please upload the image and I will describe it.",
        "I\n cannot\n directly  view the radiograph image",
    ],
)
def test_a_refusal_is_seen_at_the_opening(text: str) -> None:
    assert refused(text)
    assert not refused("The lungs are clear and the heart is of normal size. " * 5 + text)


@pytest.mark.parametrize(
    "text",
    [
        PROMPT,
        PROMPT.lower() + " Normal.",
        "Name the modality, the region and each abnormal finding with its side.",
        "Describe the medical image in",
    ],
)
def test_an_echo_is_the_prompt_again(text: str) -> None:
    assert echoed(text, PROMPT)


def test_a_few_words_of_the_prompt_are_no_echo() -> None:
    assert not echoed("The region is the chest, and each abnormal finding is on the left side.", PROMPT)
    assert echoed("Describe it.", "describe it")
    assert not echoed("", "")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!!!!!!",
        "1. 2. 3.",
        "The lungs are cleaaaaaaaaaaaaaaaaaaaaaaaaaaaaaar",
        "lung " * 8,
        "The The the THE the the the the",
        "left lung, " * 8,
        "The image shows a mass in the left lung. " * 6,
        "Chest radiograph. " + "There is a small effusion on the left side of the chest. " * 5,
        " ".join(f"the {'abcde'[i % 5]} of {'abcde'[i % 3]} is" for i in range(20)),
    ],
)
def test_a_loop_is_degenerate(text: str) -> None:
    assert degenerate(text)
