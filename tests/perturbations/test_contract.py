"""Every file of the family keeps the same promises; a new one is tested by being there."""

from __future__ import annotations

import random
from functools import lru_cache

import pytest
from pydantic import BaseModel

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import BELIEF, FINDING, PRESENCE, believed, value_of, with_value
from mht.knowledge.truth import DENIED, UNSAID, holds, world
from mht.records import Edit, Fact, Reading
from tests.perturbations.captions import drawn, written

NAMES = catalog.names("perturbations")
Found = tuple[Reading, int, tuple[Edit | None, ...]]


def _draws(name: str, reading: Reading, fact: int, n: int, seed: int = 7) -> tuple[Edit | None, ...]:
    module = catalog.load("perturbations", name)
    rng, params = random.Random(seed), module.Params()
    return tuple(module.perturb(reading, fact, rng, params) for _ in range(n))


@lru_cache(maxsize=32)
def asked(name: str) -> tuple[Found, ...]:
    """Four draws for each fact of the written and the phantoms' captions."""
    every = (*written(), *drawn())
    return tuple((r, i, _draws(name, r, i, 4)) for r in every for i in range(len(r.facts)))


def edits(name: str) -> list[tuple[Reading, Edit]]:
    return [(reading, e) for reading, _, made in asked(name) for e in made if e is not None]


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_something_to_falsify(name: str) -> None:
    in_written = {r.caption for r, e in edits(name)} & {r.caption for r in written()}
    assert in_written
    assert len(edits(name)) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_is_of_its_own_type_and_puts_another_value_in_the_slot_of_its_fact(name: str) -> None:
    for reading, fact, made in asked(name):
        for edit in filter(None, made):
            assert (edit.type, edit.fact) == (name, fact)
            assert value_of(reading.facts[fact], edit.slot, reading) == edit.before
            assert edit.after != edit.before
            assert 0 < edit.forward <= 1
            assert 0 < edit.backward <= 1
            assert (edit.strategy is not None) == (edit.slot == FINDING)


@pytest.mark.parametrize("name", NAMES)
def test_the_false_value_does_not_hold(name: str) -> None:
    for reading, edit in edits(name):
        fact = reading.facts[edit.fact]
        if edit.slot.startswith(BELIEF):
            assert edit.after not in believed(reading, edit.slot.removeprefix(BELIEF))
        elif edit.slot == FINDING:
            assert world(reading).status(edit.after) in (DENIED, UNSAID)
        elif edit.slot == PRESENCE:
            assert not holds(Fact(fact.finding, "", 0, 0, edit.after), reading)
        else:
            assert holds(fact, reading)
            assert not holds(with_value(fact, edit.slot, edit.after), reading), (reading.caption, edit)


@pytest.mark.parametrize("name", NAMES)
def test_the_edited_fact_says_the_false_value_and_the_way_back_restores_the_true_one(name: str) -> None:
    for reading, edit in edits(name):
        fact = reading.facts[edit.fact]
        if edit.slot.startswith(BELIEF):
            continue  # what is believed of a kind of image stands in no fact
        false = with_value(fact, edit.slot, edit.after)
        assert value_of(false, edit.slot) == edit.after
        assert value_of(with_value(false, edit.slot, edit.before), edit.slot) == edit.before
        assert false.text == fact.text


@pytest.mark.parametrize("name", NAMES)
def test_the_same_generator_gives_the_same_edits(name: str) -> None:
    for reading, fact, made in asked(name)[::7]:
        assert _draws(name, reading, fact, 4) == made


CROWDED = (
    *written(),
    read_facts("A mass in the liver. A mass in the spleen. A mass in the left kidney."),
    read_facts("A small and a large left pleural effusion. A moderate right pleural effusion."),
    read_facts("A 4 mm nodule and a 12 mm nodule of the left lung. A nodule of the right lung."),
    read_facts(
        "A red papule on the arm. A white papule on the leg. Two papules on the back. Multiple papules."
    ),
    read_facts("The left pleural effusion has increased. The right pleural effusion has decreased."),
)


@pytest.mark.parametrize("name", NAMES)
def test_no_edit_once_is_no_edit_ever(name: str) -> None:
    """`propose` asks no more once it hears None first: a value left open must not be drawn and then refused."""
    for reading in CROWDED:
        for fact in range(len(reading.facts)):
            for seed in range(6):
                made = _draws(name, reading, fact, 12, seed)
                assert all(made) or not any(made), (reading.caption, fact, made)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_plainly_stated_or_denied_is_left_alone(name: str) -> None:
    reading = read_facts("No left pleural effusion. Possible mild consolidation in the right lower lobe.")
    assert len(reading.facts) == 2
    assert not any(any(_draws(name, reading, fact, 3)) for fact in range(2))


@pytest.mark.parametrize("name", NAMES)
def test_a_denied_finding_is_edited_by_negation_alone(name: str) -> None:
    reading = read_facts("A pleural effusion. No pneumothorax.")
    fact = next(i for i, f in enumerate(reading.facts) if f.presence == ABSENT)
    made = _draws(name, reading, fact, 3)
    assert {e and (e.before, e.after) for e in made} == (
        {(ABSENT, PRESENT)} if name == "negation" else {None}
    )


@pytest.mark.parametrize("name", NAMES)
def test_params_are_a_frozen_model_with_defaults(name: str) -> None:
    params = catalog.load("perturbations", name).Params
    assert issubclass(params, BaseModel)
    assert params.model_config["frozen"]
    assert params.model_config["extra"] == "forbid"


def _after(name: str, caption: str, finding: str) -> set[str]:
    reading = read_facts(caption)
    fact = next(i for i, f in enumerate(reading.facts) if f.finding == finding)
    return {e.after for e in _draws(name, reading, fact, 200) if e is not None}


COLOURS = {"orange", "yellow", "white", "brown", "black", "blue", "purple", "green"}
CHANGES = {"increased", "decreased", "unchanged", "new"}
WANTED = (
    ("laterality", "Bilateral pleural effusions.", "pleural effusion", set()),
    ("laterality", "A left rib fracture. A right rib fracture.", "rib fracture", set()),
    ("laterality", "A left rib fracture.", "rib fracture", {"right"}),
    ("location", "Consolidation in the left lower lobe.", "consolidation", {"upper lobe"}),
    ("severity", "A small pleural effusion.", "pleural effusion", {"large"}),
    ("count", "A single lung nodule.", "lung nodule", {"two", "three", "four", "five", "multiple"}),
    ("count", "A lung nodule.", "lung nodule", set()),
    ("appearance", "A red lesion.", "lesion", COLOURS),
    ("temporal", "A pleural effusion.", "pleural effusion", CHANGES),
    ("temporal", "The pleural effusion has increased.", "pleural effusion", CHANGES - {"increased"} | {"uncompared"}),
    ("temporal", "A pleural effusion after surgery.", "pleural effusion", set()),
    ("negation", "A pleural effusion.", "pleural effusion", {"absent"}),
    ("negation", "Clear lungs.", "clear lungs", set()),
    ("sequence", "Axial MR image of the brain.", "MR image", {"coronal", "sagittal", "longitudinal"}),
    ("attribute", "A well-defined mass of the liver.", "liver mass", {"ill-defined"}),
)  # fmt: skip


@pytest.mark.parametrize(("name", "caption", "finding", "wanted"), WANTED)
def test_what_is_drawn(name: str, caption: str, finding: str, wanted: set[str]) -> None:
    assert _after(name, caption, finding) == wanted


@pytest.mark.parametrize("number", ["two", "three", "four", "five"])
def test_a_few_are_not_said_to_be_other_than_multiple(number: str) -> None:
    """Five cells may well be called multiple, and multiple ones may be five."""
    assert "multiple" not in _after("count", f"{number.capitalize()} lung nodules.", "lung nodule")
    assert _after("count", "Multiple lung nodules.", "lung nodule") == {"single"}


def test_sizes_are_clearly_other_ones() -> None:
    made = _after("size", "A nodule of the left lung, 20 mm.", "lung nodule")
    assert made
    assert all(max(20 / float(mm), float(mm) / 20) > 1.9 for mm in made)


def test_a_misbelief_is_about_one_kind_of_image() -> None:
    radiograph = _after("misbelief", "Radiograph of the chest. A pleural effusion.", "radiograph")
    assert "no ionising radiation" in radiograph
    assert "ionising radiation" not in radiograph
    assert not _after("misbelief", "Radiograph and CT of the chest.", "radiograph")


def test_the_unsaid_that_are_proposed_are_seen_by_the_modality() -> None:
    for name in ("existence", "diagnosis_leap", "device"):
        for reading, edit in edits(name):
            if edit.strategy != "popular" and reading.modality is not None:
                assert reading.modality in lexicon().findings[edit.after].modalities
