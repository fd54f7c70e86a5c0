"""Every file of the family keeps the same promises; a new one is tested by being there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon
from mht.knowledge.truth import TRUE, holds, world
from mht.records import Edit, Fact, Reading

NAMES = catalog.names("perturbations")
CAPTIONS = (
    "Chest radiograph. Small left pleural effusion. No pneumothorax or cardiomegaly.",
    "Moderate consolidation in the right lower lobe; the heart is enlarged. No pleural effusion.",
    "CT of the abdomen. A large renal cyst in the left kidney. No hydronephrosis. Severe fatty liver.",
    "MRI of the brain: mild cerebral oedema in the left frontal lobe, with midline shift. No haemorrhage.",
    "Fundus photograph of the left eye. Mild optic disc cupping. No drusen or papilloedema.",
    "Blood smear with schistocytes and blast cells. No malaria parasites.",
    "The lungs are clear. Heart size is normal. Complete tear of the supraspinatus tendon on the right.",
    "Focal stenosis of the left internal carotid artery at C3. No aneurysm.",
    "Bilateral pleural effusions and diffuse interstitial thickening. Possible pneumonia.",
    "A left rib fracture and a right rib fracture. Partial atelectasis at the left lung base.",
)


def _edits(name: str) -> Iterator[tuple[Reading, Edit]]:
    module = catalog.load("perturbations", name)
    for caption in CAPTIONS:
        reading = read_facts(caption)
        for i in range(len(reading.facts)):
            rng = random.Random(7)
            for _ in range(12):
                edit = module.perturb(reading, i, rng, module.Params())
                if edit is not None:
                    yield reading, edit


def _claim(reading: Reading, edit: Edit) -> Fact:
    fields: dict[str, Any] = {edit.slot: edit.after}
    return replace(reading.facts[edit.fact], **fields)


@pytest.mark.parametrize("name", NAMES)
def test_it_finds_something_to_falsify(name: str) -> None:
    assert len(list(_edits(name))) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_contradicts_the_fact_that_it_names(name: str) -> None:
    for reading, edit in _edits(name):
        fact = reading.facts[edit.fact]
        assert fact.presence == "present"
        assert getattr(fact, edit.slot) == edit.before
        assert edit.before != edit.after
        assert not holds(_claim(reading, edit), reading)


@pytest.mark.parametrize("name", NAMES)
def test_the_inverse_gives_the_fact_back(name: str) -> None:
    for reading, edit in _edits(name):
        fields: dict[str, Any] = {edit.slot: edit.before}
        assert replace(_claim(reading, edit), **fields) == reading.facts[edit.fact]


@pytest.mark.parametrize("name", NAMES)
def test_proposal_chances_are_chances(name: str) -> None:
    for _, edit in _edits(name):
        assert 0 < edit.forward <= 1
        assert 0 < edit.backward <= 1


@pytest.mark.parametrize("name", NAMES)
def test_the_same_generator_gives_the_same_edits(name: str) -> None:
    assert list(_edits(name)) == list(_edits(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_stated_as_present_is_left_alone(name: str) -> None:
    module = catalog.load("perturbations", name)
    reading = read_facts("No left pleural effusion. Possible mild consolidation in the right lower lobe.")
    for i in range(len(reading.facts)):
        assert module.perturb(reading, i, random.Random(1), module.Params()) is None


@pytest.mark.parametrize("name", NAMES)
def test_params_are_a_frozen_model_with_defaults(name: str) -> None:
    params = catalog.load("perturbations", name).Params
    assert issubclass(params, BaseModel)
    assert params.model_config["frozen"]
    assert params.model_config["extra"] == "forbid"


def test_frequencies_are_the_stated_chances() -> None:
    module = catalog.load("perturbations", "severity")
    reading = read_facts("A moderate ascites.")
    rng, drawn = random.Random(3), []
    for _ in range(4000):
        edit = module.perturb(reading, 0, rng, module.Params())
        assert edit is not None
        drawn.append(edit)
    for edit in {e.after: e for e in drawn}.values():
        share = sum(e.after == edit.after for e in drawn) / len(drawn)
        assert share == pytest.approx(edit.forward, abs=0.04)


def test_existence_frequencies_are_the_stated_chances() -> None:
    module = catalog.load("perturbations", "existence")
    reading = read_facts(
        "Chest radiograph. Pleural effusion. No pneumothorax, consolidation or rib fracture."
    )
    fact = next(i for i, f in enumerate(reading.facts) if f.finding == "pleural effusion")
    rng = random.Random(3)
    drawn = [module.perturb(reading, fact, rng, module.Params()) for _ in range(6000)]
    made = [edit for edit in drawn if edit is not None]
    for edit in {e.after: e for e in made}.values():
        assert sum(e.after == edit.after for e in made) / len(drawn) == pytest.approx(edit.forward, abs=0.03)
    share = sum(world(reading).status(e.after) == "denied" for e in made) / len(made)
    assert share == pytest.approx(1 - module.Params().unsaid_share, abs=0.03)


def test_existence_never_proposes_what_may_be_true() -> None:
    for reading, edit in _edits("existence"):
        assert world(reading).status(edit.after) not in (TRUE, "possible")
        modalities = lexicon().findings[edit.after].modalities
        assert (
            reading.modality is None
            or reading.modality in modalities
            or world(reading).status(edit.after) == "denied"
        )


def test_laterality_leaves_bilateral_findings_alone() -> None:
    module = catalog.load("perturbations", "laterality")
    for caption in ("Bilateral pleural effusions.", "A left rib fracture. A right rib fracture."):
        reading = read_facts(caption)
        assert all(
            module.perturb(reading, i, random.Random(1), module.Params()) is None
            for i in range(len(reading.facts))
        )


def test_location_stays_on_the_side_and_where_the_finding_is_seen() -> None:
    module = catalog.load("perturbations", "location")
    reading = read_facts("Consolidation in the left lower lobe.")
    rng = random.Random(1)
    places = {module.perturb(reading, 0, rng, module.Params()).after for _ in range(50)}
    assert places == {"upper lobe"}  # the middle lobe is on the right
