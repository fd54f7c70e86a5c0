"""Verdicts on pairs by hand: what the scene makes true, false, open, and what cannot be read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.pairs import judge, restored, surface, template
from benchmarks.premises import flat
from benchmarks.verdicts import NEVER, OPEN, SCENE, UNREAD, Verdict, beside, evidence, of_claim, statement
from mht.phantoms.scene import Entity, Scene
from mht.records import Pair, State

EFFUSION = Entity("pleural effusion", "left", None, "small")
NODULE = Entity("pulmonary nodule", "right", "upper lobe", None, 12.0, 1, attributes=("calcified",))
OTHER_NODULE = Entity("pulmonary nodule", "left", "lower lobe", None, 6.0, 1)
FILM = Scene(
    "chest_xray", "x-ray", "PA", (EFFUSION, NODULE, OTHER_NODULE), ("pneumothorax", "emphysema"), 0, 0, ("PA",)
)  # fmt: skip
EYE = Scene("fundus", "fundus", "left eye", (Entity("papilledema", "left"),), (), 0, 0)


def pair(
    question: str, premise: str, span: str, slot: str, counterpart: str = "", state: str = "faithful"
) -> Pair:
    """A pair with the columns that verdicts read."""
    return Pair(
        pair_id=state, twin_id="t", image_id="i", split="train", form="yes_no", state=state, type="existence",
        strategy=None, question=question, premise=premise, answer="", rejected="", polarity=None, slot=slot,
        span_start=question.index(premise) + premise.index(span), span_end=0, span=span, counterpart=counterpart,
        evidence="", risk="low", risk_rule="", row_hash="",
    )  # fmt: skip


def asked(premise: str, span: str, slot: str) -> Pair:
    return pair(f"Is there {premise} on this radiograph?", premise, span, slot)


@pytest.mark.parametrize(
    ("premise", "span", "slot", "wanted"),
    [
        ("a pleural effusion on the left", "left", "side", Verdict(True)),
        ("a right-sided pleural effusion", "right", "side", Verdict(False)),
        ("a small pleural effusion", "a small", "severity", Verdict(True)),
        ("the large pleural effusion", "large", "severity", Verdict(False)),
        ("no pleural effusion", "no pleural effusion", "presence", Verdict(False)),
        ("no pneumothorax", "no pneumothorax", "presence", Verdict(True)),
        ("a lung nodule in the right upper lobe", "in the right upper lobe", "site", Verdict(True)),
        ("a lung nodule in the left lower lobe", "in the left lower lobe", "site", Verdict(True)),
        ("a lung nodule in the left upper lobe", "in the left upper lobe", "site", Verdict(False)),
        ("a lung nodule measuring about 1.2 cm", "1.2 cm", "size", Verdict(True)),
        ("a lung nodule measuring about 5 cm", "5 cm", "size", Verdict(False)),
        ("a calcified lung nodule", "a calcified", "calcification", Verdict(True)),
        ("three lung nodules", "three lung nodules", "number", Verdict(False)),
        ("clear lungs", "clear lungs", "finding", Verdict(False)),
        ("a blunted costophrenic angle", "a blunted costophrenic angle", "finding", Verdict(True)),
        ("a lung mass", "a lung mass", "finding", Verdict(None, OPEN)),
        ("an MR image", "an MR image", "finding", Verdict(False)),
        ("scoliosis", "scoliosis", "finding", Verdict(False, NEVER)),
        ("an image made with X-rays", "X-rays", "belief:source", Verdict(True)),
        ("an image made with sound waves", "sound waves", "belief:source", Verdict(False)),
        ("a pleural effusion of the cat", "a pleural effusion", "finding", Verdict(None, UNREAD)),
        ("a pleural effusion and a lung nodule", "a pleural effusion", "finding", Verdict(None, UNREAD)),
    ],
)
def test_a_premise_is_held_against_the_scene(premise: str, span: str, slot: str, wanted: Verdict) -> None:
    assert statement(asked(premise, span, slot), FILM) == wanted


def test_without_a_change_nothing_has_been_compared() -> None:
    span = "no earlier study to be compared with"
    assert statement(asked(f"papilloedema that has {span}", span, "change"), EYE) == Verdict(True, SCENE)


def test_the_image_has_the_side_of_its_eye() -> None:
    claim = flat("a fundus photograph of the right eye")
    assert claim is not None
    assert of_claim(claim, EYE) == Verdict(False)


def test_the_name_of_the_image_counts() -> None:
    there = pair(
        "Does this CT image show a pleural effusion?", "a pleural effusion", "a pleural effusion", "finding"
    )
    assert beside(there, FILM) == Verdict(False)
    assert [judged.right for judged in judge([there], {"i": FILM})] == [False]


@pytest.mark.parametrize(
    ("option", "wanted"),
    [
        ("a pneumothorax", Verdict(True)),
        ("a lung nodule", Verdict(False)),
        ("a zebra", Verdict(None, UNREAD)),
    ],
)
def test_the_other_options_must_be_false(option: str, wanted: Verdict) -> None:
    question = f"Which does the image show? A) {option} B) a pleural effusion C) emphysema D) none of these."
    assert beside(pair(question, "a pleural effusion", "a pleural effusion", "finding"), FILM) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a small pleural effusion on the left", Verdict(True)),
        ("a pleural effusion on the right; a pneumothorax is not mentioned", Verdict(False)),
        ("no pneumothorax", Verdict(True)),
        ("a pleural effusion, they say", Verdict(None, UNREAD)),
    ],
)
def test_the_evidence_is_held_against_the_scene_too(text: str, wanted: Verdict) -> None:
    assert evidence(replace(twins()[0], evidence=text), FILM) == wanted


def twins() -> tuple[Pair, Pair]:
    question = "Is there {} on this radiograph?"
    one, other = "a pleural effusion", "a pneumothorax"
    faithful = pair(question.format(one), one, one, "finding", other)
    return faithful, pair(question.format(other), other, other, "finding", one, State.HALLUCINATED)


def lengthened(one: Pair) -> Pair:
    return replace(one, span_end=one.span_start + len(one.span))


def test_a_twin_restores_its_question_word_for_word() -> None:
    faithful, false = map(lengthened, twins())
    assert restored([faithful, false]) == 1
    assert restored([false]) == 0
    assert restored([replace(faithful, question=faithful.question + " "), false]) == 0
    assert restored([faithful, replace(false, counterpart="a lung mass")]) == 0
    assert restored([replace(faithful, image_id="other"), false]) == 0


def test_both_states_are_right_on_their_own_terms() -> None:
    assert [j.right for j in judge(twins(), {"i": FILM})] == [True, True]
    assert [j.right for j in judge([replace(p, state="faithful") for p in twins()], {"i": FILM})] == [
        True,
        False,
    ]


def test_a_surface_keeps_the_premise_and_a_template_does_not() -> None:
    one = twins()[0]
    assert surface(one) == "Is there a pleural effusion on @?"
    assert template(one) == "Is there # on @?"
