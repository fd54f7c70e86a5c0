"""What a caption makes true, false or open."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht.knowledge.claims import claims, mentioned
from mht.knowledge.facts import read_facts
from mht.knowledge.truth import (
    DENIED,
    POSSIBLE,
    TRUE,
    UNSAID,
    against,
    denied_by_name,
    denied_outright,
    holds,
    left_open,
    may_hold,
    mirrored_unsaid,
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


GROUND = read_facts(
    "Chest radiograph. Two small ill-defined nodules of the left lung, 8 mm. No pneumothorax. Bilateral rib fractures."
)


@pytest.mark.parametrize(
    ("claim", "held", "room"),
    [
        ("A lung nodule.", True, True),
        ("A small lung nodule on the left.", True, True),
        ("A lung nodule on the right.", False, False),
        ("A large lung nodule.", False, False),
        ("A moderate lung nodule.", False, True),
        ("A lung nodule, 8 mm.", True, True),
        ("A lung nodule, 10 mm.", False, True),
        ("A lung nodule, 30 mm.", False, False),
        ("Two lung nodules.", True, True),
        ("Three lung nodules.", False, False),
        ("An ill-defined lung nodule.", True, True),
        ("A well-defined lung nodule.", False, False),
        ("A spiculated lung nodule.", False, True),
        ("A lung nodule in the upper lobe.", True, True),
        ("A rib fracture on the right.", True, True),
        ("A fracture.", True, True),
        ("A lung mass.", False, False),
    ],
)
def test_what_a_reading_states_and_what_it_leaves_room_for(claim: str, held: bool, room: bool) -> None:
    claimed = next(f for f in read_facts(claim).facts)
    assert holds(claimed, GROUND) is held
    assert any(may_hold(claimed, fact, GROUND) for fact in GROUND.facts) is room


def test_denials_hold_where_they_are_of_the_finding_as_such() -> None:
    assert holds(read_facts("No pneumothorax.").facts[0], GROUND)
    assert not holds(read_facts("No left pneumothorax.").facts[0], GROUND)
    assert not holds(read_facts("No lung nodule.").facts[0], GROUND)
    assert not holds(read_facts("No emphysema.").facts[0], GROUND)


@pytest.mark.parametrize(
    ("caption", "plain"),
    [
        ("No pneumothorax.", True),
        ("No left pneumothorax.", False),
        ("No large pneumothorax.", False),
        ("No pneumothorax on the left. A right pneumothorax.", False),
        ("No pneumothorax. Possible pneumothorax.", False),
        ("A pneumothorax.", False),
    ],
)
def test_a_denial_of_the_finding_and_nothing_against_it(caption: str, plain: bool) -> None:
    reading = read_facts(caption)
    assert denied_outright(reading, 0) is plain


def test_what_denies_a_finding() -> None:
    reading = read_facts("The lungs are clear. No fracture.")
    denial = against(reading, "rib fracture")
    assert denial is not None
    assert (denial.finding, denial.presence) == ("fracture", "absent")
    excluding = against(reading, "consolidation")
    assert excluding is not None
    assert excluding.finding == "clear lungs"
    assert against(reading, "cardiomegaly") is None


@pytest.mark.parametrize(
    ("slot", "value", "other", "left"),
    [
        ("side", "right", "A pleural effusion on the right.", True),
        ("side", "right", "A pleural effusion.", True),
        ("side", "right", "A pleural effusion on the left.", False),
        ("side", "right", "No pleural effusion on the right.", False),
        ("severity", "large", "A large pleural effusion.", True),
        ("severity", "large", "A small pleural effusion.", False),
        ("size", "30", "A pleural effusion, 25 mm.", True),
        ("size", "30", "A pleural effusion, 8 mm.", False),
        ("change", "decreased", "The pleural effusion has decreased.", True),
        ("change", "decreased", "The pleural effusion has increased.", False),
        ("side", "right", "A rib fracture on the right.", False),
    ],
)
def test_what_another_fact_leaves_open(slot: str, value: str, other: str, left: bool) -> None:
    stated = read_facts("A small pleural effusion on the left, 8 mm, has increased.").facts[0]
    reading = replace(GROUND, caption=other, facts=(stated, *read_facts(other).facts))
    assert left_open(reading, 0, slot, value) is left


def test_the_unsaid_of_the_mirrored_reading_hide_what_the_other_finding_says() -> None:
    reading = read_facts("Chest radiograph with a pleural effusion.")
    fact = next(f for f in reading.facts if f.finding == "pleural effusion")
    mirrored = mirrored_unsaid(reading, fact, "pneumothorax")
    assert mirrored
    assert not {"pneumothorax", "pleural effusion", "tension pneumothorax"} & set(mirrored)
