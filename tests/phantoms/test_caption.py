"""Captions: true of the scene, in varied words, with enough in each to ask about."""

import random
import re

import pytest

from mht.phantoms.caption import Narrative, caption_rng, describe, narrate
from mht.phantoms.phrase import indefinite, join_or
from mht.phantoms.scene import KINDS, Entity, Scene, draw_scene, findings, kind_module

COUNT = 1250
DETAILS = ("side", "site", "severity", "size_mm", "count")


@pytest.fixture(scope="module")
def told() -> dict[str, list[tuple[Scene, Narrative]]]:
    scenes = {kind: [draw_scene(kind, index, 11) for index in range(COUNT)] for kind in KINDS}
    return {kind: [(one, narrate(one, caption_rng(one))) for one in scenes[kind]] for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_every_statement_is_true(kind: str, told: dict[str, list[tuple[Scene, Narrative]]]) -> None:
    for scene, narrative in told[kind]:
        there = {entity.finding: entity for entity in scene.present}
        for statement in narrative.statements:
            if statement.presence == "absent":
                assert statement.finding in scene.absent
                continue
            entity = there[statement.finding]
            for detail in DETAILS:
                assert getattr(statement, detail) in (None, getattr(entity, detail))


def american(text: str) -> str:
    for british, usual in (("oedema", "edema"), ("haem", "hem"), ("ischaem", "ischem")):
        text = text.replace(british, usual)
    return text


def names(kind: str, finding: str) -> set[str]:
    nouns = kind_module(kind, "wording").WORDING.nouns[finding]
    return {noun.text.lower() for noun in nouns}


@pytest.mark.parametrize("kind", KINDS)
def test_the_text_names_nothing_that_it_does_not_state(
    kind: str, told: dict[str, list[tuple[Scene, Narrative]]]
) -> None:
    vocabulary = {name: finding for finding in findings(kind) for name in names(kind, finding)}
    longest_first = sorted(vocabulary, key=len, reverse=True)
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, longest_first)) + r")(?:e?s)?\b")
    generic = {"mass", "nodule", "fracture", "infarct", "calcification"}
    for _, narrative in told[kind]:
        stated = {statement.finding for statement in narrative.statements}
        for match in pattern.finditer(american(narrative.text.lower())):
            if match[1] not in generic:
                assert vocabulary[match[1]] in stated, (match[0], narrative.text)


def sentence_of(narrative: Narrative, start: int, end: int) -> str:
    return narrative.text[start:end]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_statement_holds_stands_in_its_sentence(
    kind: str, told: dict[str, list[tuple[Scene, Narrative]]]
) -> None:
    short = {"RUL": "right", "RML": "right", "RLL": "right", "LUL": "left", "LLL": "left"}
    for _, narrative in told[kind]:
        for statement in narrative.statements:
            text = sentence_of(narrative, statement.start, statement.end)
            assert text.endswith(".")
            words = " ".join(
                [text.lower(), *(side for code, side in short.items() if code in text), "bibasilar"]
            )
            if statement.side in ("left", "right"):
                assert statement.side in words
            if statement.side == "bilateral":
                assert "bilateral" in words or "bibasilar" in text.lower()
            if statement.severity:
                assert statement.severity in words
            if statement.size_mm:
                assert f"{statement.size_mm:g} mm" in text or f"{statement.size_mm / 10:g} cm" in text


@pytest.mark.parametrize("kind", KINDS)
def test_no_sentence_gives_a_side_that_is_not_there(
    kind: str, told: dict[str, list[tuple[Scene, Narrative]]]
) -> None:
    for scene, narrative in told[kind]:
        spans = {(one.start, one.end) for one in narrative.statements}
        for start, end in spans:
            here = [one for one in narrative.statements if (one.start, one.end) == (start, end)]
            given = {one.side for one in here}
            words = set(re.findall(r"\b(left|right)\b", narrative.text[start:end].lower()))
            assert words <= given, narrative.text
        if kind == "fundus":
            assert {"left eye": "right", "right eye": "left"}[scene.view or ""] not in narrative.text.lower()


@pytest.mark.parametrize("kind", KINDS)
def test_captions_carry_enough_and_differ(kind: str, told: dict[str, list[tuple[Scene, Narrative]]]) -> None:
    texts = [narrative.text for _, narrative in told[kind]]
    assert len(set(texts)) > 0.98 * COUNT
    assert sum(len(narrative.statements) >= 3 for _, narrative in told[kind]) > 0.98 * COUNT
    sentences = [text.count(". ") + 1 for text in texts]
    assert min(sentences) >= 2
    assert sum(count <= 7 for count in sentences) > 0.95 * COUNT
    assert all("  " not in text and " ." not in text and "None" not in text for text in texts)


@pytest.mark.parametrize("kind", KINDS)
def test_readers_differ(kind: str, told: dict[str, list[tuple[Scene, Narrative]]]) -> None:
    texts = [narrative.text for _, narrative in told[kind]]
    assert sum(text.startswith("No ") for text in texts) > 5
    assert sum("There is" in text or "There are" in text for text in texts) > 100
    if kind in ("chest_xray", "head_ct", "fundus"):
        assert any("oedema" in text or "haem" in text for text in texts)


def test_a_caption_is_the_scenes_own() -> None:
    scene = draw_scene("chest_xray", 3, 0)
    assert describe(scene, caption_rng(scene)) == describe(scene, caption_rng(scene))
    assert len({describe(scene, random.Random(number)) for number in range(20)}) > 15


def test_a_scene_without_the_finding_denies_it_by_name() -> None:
    scene = Scene("chest_xray", "x-ray", "PA", (), ("pneumothorax",), 0, 0)
    text = describe(scene, random.Random(1))
    assert "pneumothorax" in text.lower()
    assert re.search(r"\b(no|negative|not)\b", text.lower())


def test_two_findings_in_one_sentence_keep_their_sides() -> None:
    present = (
        Entity("pneumothorax", "left", None, "large"),
        Entity("pleural effusion", "right", None, "small"),
    )
    scene = Scene("chest_xray", "x-ray", "PA", present, (), 0, 0)
    for number in range(200):
        narrative = narrate(scene, random.Random(number))
        sides = {statement.finding: statement.side for statement in narrative.statements}
        assert sides == {"pneumothorax": "left", "pleural effusion": "right"}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("effusion", "an effusion"),
        ("mass", "a mass"),
        ("8 mm nodule", "an 8 mm nodule"),
        ("18 mm nodule", "an 18 mm nodule"),
        ("28 mm nodule", "a 28 mm nodule"),
        ("RUL nodule", "an RUL nodule"),
        ("unilateral effusion", "a unilateral effusion"),
    ],
)
def test_the_article_follows_the_sound(text: str, wanted: str) -> None:
    assert indefinite(text) == wanted


def test_lists_are_joined() -> None:
    assert join_or(["a"]) == "a"
    assert join_or(["a", "b", "c"]) == "a, b or c"
