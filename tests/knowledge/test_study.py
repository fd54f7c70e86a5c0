"""What the image is, as the caption says it: kind, part, side, and how it was taken."""

from __future__ import annotations

import pytest

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import is_study
from mht.records import Fact


def _study(caption: str, modality: str | None = None) -> Fact:
    (found,) = (f for f in read_facts(caption, modality).facts if is_study(f.finding))
    return found


@pytest.mark.parametrize(
    ("caption", "finding", "site", "side", "attributes"),
    [
        ("Postoperative lateral radiograph of the left hand.", "radiograph", "hand", "left",
         ("postoperative", "lateral")),
        ("Panoramic radiograph.", "radiograph", None, None, ("panoramic",)),
        ("Apical four-chamber view showing a mass.", "ultrasound image", "heart", None, ("four-chamber",)),
        ("Transvaginal ultrasound of the uterus.", "ultrasound image", "pelvis", None, ("transvaginal",)),
        ("CT, bone window, showing a lesion of the femur.", "CT image", "femur", None, ("bone-window",)),
        ("Coronary angiogram in the LAO projection.", "angiogram", None, None, ("LAO",)),
        ("Axial CT in the arterial phase.", "CT image", None, None, ("axial", "arterial-phase")),
        ("OCT of the right eye.", "OCT image", "globe", "right", ()),
        ("Lateral view of the right humerus.", "medical image", "humerus", "right", ("lateral",)),
    ],
)  # fmt: skip
def test_what_the_image_is(
    caption: str, finding: str, site: str | None, side: str | None, attributes: tuple[str, ...]
) -> None:
    fact = _study(caption)
    assert (fact.finding, fact.site, fact.side, fact.attributes) == (finding, site, side, attributes)


def test_the_image_shows_the_one_part_that_all_places_lie_in() -> None:
    assert _study("CT showing a cyst of the liver and a stone in the kidney.").site == "abdomen"
    assert _study("CT showing a cyst of the liver and a nodule of the lung.").site is None
    assert _study("CT in a patient with a history of a tumour of the breast.").site is None


def test_an_image_of_no_kind_is_not_named_where_the_kind_is_known() -> None:
    assert _study("Lateral view.", "CT").finding == "CT image"
    assert not read_facts("A lateral meniscal tear with an axial load.").facts[0].attributes
    assert not any(is_study(f.finding) for f in read_facts("A lateral meniscal tear.").facts)


def test_words_of_what_is_shown_are_no_view() -> None:
    assert _study("Ultrasound of the femur along its long axis.").attributes == ()
    assert _study("CT compared with the preoperative findings, tumour.").attributes == ()
