"""What a caption makes true, false or open."""

from __future__ import annotations

from dataclasses import replace

from mht.knowledge.claims import claims, mentioned
from mht.knowledge.facts import read_facts
from mht.knowledge.truth import (
    DENIED,
    POSSIBLE,
    TRUE,
    UNSAID,
    denied_by_name,
    holds,
    left_open,
    may_hold,
    unsaid_near,
    world,
)


def test_kinds_and_opposites() -> None:
    ground = world(read_facts("Consolidation in the left lower lobe. No pneumothorax. Possible lung mass."))
    assert ground.status("consolidation") == TRUE
    assert ground.status("lung opacity") == TRUE
    assert ground.status("pneumothorax") == DENIED
    assert ground.status("tension pneumothorax") == DENIED
    assert ground.status("lung cancer") == POSSIBLE
    assert ground.status("clear lungs") == DENIED
    assert ground.status("rib fracture") == UNSAID


def test_what_another_reader_may_call_it_stays_open() -> None:
    assert world(read_facts("A cystic lesion in the left kidney.")).status("renal mass") == POSSIBLE
    assert world(read_facts("A lung mass.")).status("lung nodule") == POSSIBLE
    assert world(read_facts("A lung mass.")).status("pneumothorax") == UNSAID
    assert world(read_facts("Dislocation of the left shoulder.")).status("malalignment") == TRUE
    assert world(read_facts("No mass. A cyst is seen.")).status("mass") == DENIED


def test_a_normal_statement_denies_what_it_excludes() -> None:
    reading = read_facts("The lungs are clear. The heart is normal in size.")
    assert "cardiomegaly" in denied_by_name(reading)
    assert "lung opacity" in denied_by_name(reading)
    assert world(reading).status("consolidation") == DENIED


def test_a_denial_of_one_side_or_grade_denies_nothing_else() -> None:
    assert world(read_facts("No left pleural effusion.")).status("pleural effusion") == POSSIBLE
    assert world(read_facts("No large pleural effusion.")).status("pleural effusion") == POSSIBLE


def test_bilateral_covers_both_sides() -> None:
    fact = read_facts("Bilateral pleural effusions.").facts[0]
    left = replace(fact, side="left")
    assert may_hold(left, fact)
    assert holds(left, read_facts("Bilateral pleural effusions."))
    assert not may_hold(left, replace(fact, side="right"))


def test_another_fact_of_the_same_kind_leaves_room() -> None:
    reading = read_facts("A small left pleural effusion. A large right pleural effusion.")
    assert left_open(reading, 0, "side", "right")
    assert not left_open(read_facts("A small left pleural effusion."), 0, "side", "right")


def test_the_unsaid_are_seen_by_the_modality() -> None:
    reading = read_facts("Chest radiograph with a pleural effusion.")
    near = unsaid_near(reading, reading.facts[-1])
    assert "cardiomegaly" in near
    assert "pleural effusion" not in near


def test_the_kinds_of_image_it_is_not() -> None:
    reading = read_facts("CT of the head. No skull fracture.")
    assert "MR image" in denied_by_name(reading, True)
    assert denied_by_name(reading) == ("skull fracture",)


def test_claims_of_a_question() -> None:
    assert [c.finding for c in claims("Is there a pneumothorax on this CT image?")] == ["pneumothorax"]
    assert [c.finding for c in claims("Is this a CT image?")] == ["CT image"]
    assert mentioned("There is no pneumothorax, but there is cardiomegaly.") == {
        "pneumothorax",
        "cardiomegaly",
    }
