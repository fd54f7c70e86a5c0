"""What counts as a contradiction between a reply and its reference, and what does not."""

from __future__ import annotations

import math

import pytest

from mht.evaluation.judges._against import against, flatly
from mht.evaluation.judges._features import features
from mht.evaluation.judges._text import parse
from mht.knowledge.facts import read_facts


def told(truth: str, reply: str) -> dict[str, float]:
    return against(parse(truth), parse(reply), read_facts(truth), read_facts(reply))


@pytest.mark.parametrize(
    ("truth", "reply", "name"),
    [
        ("A fracture of the left clavicle.", "A fracture of the right clavicle.", "against_sides"),
        ("A small right pneumothorax.", "A pneumothorax on the left.", "against_side"),
        ("A widget in the left gizmo.", "A widget in the right gizmo.", "against_sides"),
        (
            "A left pneumothorax and a right effusion.",
            "A right pneumothorax and a left effusion.",
            "against_sides",
        ),
        ("A 2 cm cyst of the liver.", "A 9 cm cyst of the liver.", "against_size"),
        ("A two-centimetre gizmo.", "A gizmo of 90 mm.", "against_length"),
        ("A single nodule in the lung.", "Three nodules in the lung.", "against_count"),
        ("A mild cardiomegaly.", "A severe cardiomegaly.", "against_grade"),
        ("A mass in the pancreatic head.", "A mass in the pancreatic tail.", "against_site"),
        ("A well-defined solid mass.", "A well-defined cystic mass.", "against_word"),
        ("A liver cyst.", "A gallstone.", "against_finding"),
        ("A liver cyst.", "A gallstone.", "against_findings_all"),
    ],
)
def test_another_value_is_against_the_reference(truth: str, reply: str, name: str) -> None:
    assert told(truth, reply)[name] > 0
    assert not any(told(truth, truth).values())


@pytest.mark.parametrize(
    ("truth", "reply"),
    [
        ("A fracture of the left clavicle.", "A fracture of the clavicle."),
        ("A fracture of the clavicle.", "A displaced fracture of the left clavicle."),
        ("There is no mass on the right. There is a mass on the left.", "A mass on the left."),
        ("Bilateral pleural effusions.", "A pleural effusion on the left."),
        ("A nodule in the left lung and one on the right.", "Nodules are on the left and on the right."),
        ("A 2 cm cyst of the liver.", "A 20 mm cyst of the liver."),
        ("A pneumothorax.", "A tension pneumothorax."),
        ("The heart is normal.", "There is no cardiomegaly."),
    ],
)
def test_less_more_or_the_same_is_not(truth: str, reply: str) -> None:
    assert not any(told(truth, reply).values())


def test_lengths_are_apart_by_the_log_of_the_ratio_of_the_nearest() -> None:
    assert told("Cysts of 2 cm and 5 cm.", "A cyst of 10 cm.")["against_length"] == pytest.approx(math.log(2))
    assert told("A cyst of 2 cm, 3 cm.", "Not 9 cm.")["against_length"] == 0
    assert told("A cyst of 2 cm.", "cm 1e999 cm 0 cm - cm two two cm")["against_length"] == 0


@pytest.mark.parametrize(("size", "flat"), [("2 cm", False), ("3 cm", False), ("4 cm", True), ("1 cm", True)])
def test_a_length_is_flatly_another_where_no_measuring_explains_it(size: str, flat: bool) -> None:
    assert flatly(features("", "A cyst of 2 cm.", f"A cyst of {size}.")) is flat
