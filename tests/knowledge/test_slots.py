"""The slots of a fact: what stands in each, put in and taken out again."""

from __future__ import annotations

from itertools import pairwise

import pytest

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import GENERIC, lexicon
from mht.knowledge.slots import (
    CLEARLY_OTHER,
    GRID_MM,
    UNCOMPARED,
    attribute,
    belief,
    beliefs,
    believed,
    grid,
    on_scale,
    ordered,
    scales,
    study_modality,
    undated,
    value_of,
    with_value,
)
from mht.records import Fact

FACT = Fact(
    "lung nodule", "nodule", 0, 6, "present", "left", "upper lobe", "small", 8.0, ("spiculated", "two")
)


@pytest.mark.parametrize(
    ("slot", "value"),
    [
        ("finding", "lung nodule"),
        ("presence", "present"),
        ("side", "left"),
        ("site", "upper lobe"),
        ("severity", "small"),
        ("size", "8"),
        ("contour", "spiculated"),
        ("number", "two"),
        ("margin", None),
        ("change", None),
    ],
)
def test_what_stands_in_a_slot(slot: str, value: str | None) -> None:
    assert value_of(FACT, slot) == value


@pytest.mark.parametrize(
    ("slot", "value"),
    [("finding", "lung mass"), ("presence", "absent"), ("side", "right"), ("site", "lower lobe"), ("severity", "large"),
     ("size", "30"), ("contour", "smooth"), ("margin", "ill-defined"), ("change", "increased"), ("colour", "red")],
)  # fmt: skip
def test_a_value_put_in_stands_there_and_nothing_else_has_changed(slot: str, value: str) -> None:
    changed = with_value(FACT, slot, value)
    assert value_of(changed, slot) == value
    for other in {"finding", "presence", "side", "site", "severity", "size", "contour", "number"} - {slot}:
        assert value_of(changed, other) == value_of(FACT, other)


def test_a_belief_stands_in_no_fact() -> None:
    assert with_value(FACT, "belief:dose", "ionising radiation") == FACT


@pytest.mark.parametrize(
    ("mm", "value"), [(0.2, "1"), (1, "1"), (7, "8"), (8.9, "8"), (9, "10"), (11, "12"), (17, "15"), (999, "300")]
)  # fmt: skip
def test_lengths_lie_on_the_nearest_step(mm: float, value: str) -> None:
    nearest = min(GRID_MM, key=lambda step: max(step / mm, mm / step))
    assert grid(mm) == value == str(nearest)


def test_neighbouring_steps_are_never_clearly_other_lengths() -> None:
    assert all(b / a < CLEARLY_OTHER for a, b in pairwise(GRID_MM[1:]))
    assert list(GRID_MM) == sorted(set(GRID_MM))


@pytest.mark.parametrize(
    ("caption", "alone"),
    [
        ("Small left pleural effusion.", True),
        ("The effusion has increased.", False),
        ("Effusion, unchanged since the previous film.", False),
        ("Effusion on follow-up.", False),
        ("Larger than on the previous study.", False),
        ("A new effusion.", False),
        ("Effusion 3 days after surgery.", False),
        ("Interval improvement.", False),
    ],
)
def test_a_text_that_speaks_of_another_time(caption: str, alone: bool) -> None:
    reading = read_facts(caption)
    assert undated(reading) is alone


def test_uncompared_is_the_change_of_a_text_that_knows_one_study() -> None:
    alone, dated = read_facts("A pleural effusion."), read_facts("A pleural effusion. Prior lobectomy.")
    assert value_of(alone.facts[0], "change", alone) == UNCOMPARED
    assert value_of(alone.facts[0], "change") is None
    assert value_of(dated.facts[0], "change", dated) is None


def test_scales_and_their_words() -> None:
    assert {"margin", "number", "change", "plane", "colour"} <= set(scales())
    for scale in scales():
        terms = on_scale(scale)
        assert len(terms) >= 2, scale
        assert max(t.rank for t in terms) - min(t.rank for t in terms) >= 2, scale
    assert attribute(FACT, "number") == "two"
    assert attribute(FACT, "colour") is None
    assert ordered(("two", "spiculated")) == ("spiculated", "two")


@pytest.mark.parametrize(
    ("finding", "modality"), [("CT image", "CT"), ("blood smear", "smear"), ("pleural effusion", None)]
)  # fmt: skip
def test_the_modality_of_a_kind_of_image(finding: str, modality: str | None) -> None:
    assert study_modality(finding) == modality


@pytest.mark.parametrize(
    ("topic", "modality", "value"),
    [
        ("dose", "CT", "ionising radiation"),
        ("dose", "MR", "no ionising radiation"),
        ("dose", "nuclear", "ionising radiation"),
        ("bone", "MR", "dark"),
        ("bone", "fundus", None),
        ("source", "ultrasound", "sound waves"),
        ("source", None, None),
        ("geometry", "radiograph", "the whole depth of the body projected onto one plane"),
    ],
)
def test_what_is_believed_of_a_kind_of_image(topic: str, modality: str | None, value: str | None) -> None:
    assert belief(topic, modality) == value


def test_beliefs_are_of_every_modality_and_one_a_topic() -> None:
    for modality in lexicon().modalities.values():
        if modality.term == GENERIC:
            assert beliefs(modality.noun) == ()
            continue
        slots = [slot for slot, _ in beliefs(modality.noun)]
        assert {"belief:source", "belief:dose"} <= set(slots), modality.term
        assert len(set(slots)) == len(slots)
    for topic, said in lexicon().beliefs.items():
        told = [m for b in said for m in b.modalities]
        assert len(set(told)) == len(told), topic
        assert all(b.phrase.count("{}") == 1 for b in said)
        assert set(told) <= set(lexicon().modalities)
    assert beliefs("pleural effusion") == ()


def test_believed_of_a_reading_is_of_all_kinds_of_image_in_it() -> None:
    assert believed(read_facts("CT of the head."), "dose") == {"ionising radiation"}
    assert believed(read_facts("CT and MRI of the head."), "dose") == {
        "ionising radiation",
        "no ionising radiation",
    }
    assert believed(read_facts("A pleural effusion."), "dose") == frozenset()
