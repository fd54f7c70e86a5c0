"""Attributes read from text: which word belongs to which finding or image, one a scale."""

from __future__ import annotations

import pytest

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import STUDY_SCALES, lexicon
from mht.knowledge.slots import scales
from mht.knowledge.vocabulary import attribute_words

READ = (
    ("A well-defined hyperdense mass of the liver.", "liver mass", {"well-defined", "hyperdense"}),
    ("An ill defined, spiculated lung nodule.", "lung nodule", {"ill-defined", "spiculated"}),
    ("A liver mass with irregular, ill-defined margins.", "liver mass", {"irregular", "ill-defined"}),
    ("The lung nodule is round and well-circumscribed.", "lung nodule", {"round", "well-defined"}),
    ("Two lung nodules.", "lung nodule", {"two"}),
    ("Several lung nodules.", "lung nodule", {"multiple"}),
    ("A solitary lung nodule.", "lung nodule", {"single"}),
    ("Three yellow polyps.", "polyp", {"three", "yellow"}),
    ("The left pleural effusion has increased.", "pleural effusion", {"increased"}),
    ("A stable left pleural effusion.", "pleural effusion", {"unchanged"}),
    ("The pleural effusion, smaller since the last film, is on the left.", "pleural effusion", {"decreased"}),
    ("A displaced fracture of the femur.", "fracture", {"displaced"}),
    ("A non-displaced fracture of the femur.", "fracture", {"non-displaced"}),
    ("A pleural effusion.", "pleural effusion", set()),
    ("Axial T2-weighted MRI of the brain.", "MR image", {"axial", "T2-weighted"}),
    ("Contrast-enhanced coronal CT of the chest.", "CT image", {"coronal", "contrast-enhanced"}),
    ("Lateral chest radiograph.", "radiograph", {"lateral"}),
    ("T1-weighted and T2-weighted MRI of the knee.", "MR image", set()),
)


@pytest.mark.parametrize(("caption", "finding", "wanted"), READ)
def test_attributes_of_a_finding_or_an_image(caption: str, finding: str, wanted: set[str]) -> None:
    facts = [fact for fact in read_facts(caption).facts if fact.finding == finding]
    assert len(facts) == 1
    assert set(facts[0].attributes) == wanted


def test_a_word_before_one_finding_says_nothing_of_the_next() -> None:
    facts = {f.finding: f for f in read_facts("A spiculated lung nodule and a pleural effusion.").facts}
    assert facts["lung nodule"].attributes == ("spiculated",)
    assert facts["pleural effusion"].attributes == ()


def test_a_lateral_fracture_is_no_lateral_view() -> None:
    study = next(
        f
        for f in read_facts("Radiograph of the ankle. Lateral malleolus fracture.").facts
        if f.finding == "radiograph"
    )
    assert study.attributes == ()


def test_one_word_a_scale_in_the_order_of_the_scales() -> None:
    known, order = lexicon().attributes, scales()
    for caption, *_ in READ:
        for fact in read_facts(caption).facts:
            told = [known[term].scale for term in fact.attributes]
            assert len(set(told)) == len(told)
            assert told == sorted(told, key=order.index)


def test_scales_of_the_image_and_of_findings_do_not_mix() -> None:
    for caption, *_ in READ:
        for fact in read_facts(caption).facts:
            of_image = {lexicon().attributes[term].scale in STUDY_SCALES for term in fact.attributes}
            assert of_image <= {lexicon().findings[fact.finding].kind == "study"}


def test_the_table_is_well_formed() -> None:
    known = lexicon().attributes
    said: dict[tuple[str, ...], str] = {}
    for term in known.values():
        assert term.scale not in ("side", "site", "severity", "size", "presence", "finding")
        assert term.rank >= 1
    for words, term in attribute_words().items():
        assert said.setdefault(words, term) == term
    for scale in scales():
        ranks = [t.rank for t in known.values() if t.scale == scale]
        assert ranks, scale
