"""Noun phrases: articles, numbers, plurals and the verbs that go with them."""

from __future__ import annotations

import random

import pytest

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon
from mht.knowledge.slots import with_value
from mht.pairing.answers import declined, stated
from mht.pairing.frames import Frame
from mht.pairing.phrases import (
    an,
    describe,
    indefinite,
    is_plural,
    length,
    noun_of,
    on_side,
    phrase,
    place,
    plural_of,
)
from mht.records import Fact
from tests.pairing.cases import case_of, reading_and_edit


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("effusion", "an effusion"),
        ("mass", "a mass"),
        ("MR image", "an MR image"),
        ("uterine fibroid", "a uterine fibroid"),
        ("unilateral effusion", "a unilateral effusion"),
        ("ulcer", "an ulcer"),
        ("ultrasound image", "an ultrasound image"),
        ("ureteral stone", "a ureteral stone"),
        ("European finding", "a European finding"),
        ("OCT image", "an OCT image"),
        ("unenhanced CT image", "an unenhanced CT image"),
        ("oval mass", "an oval mass"),
        ("hypodense lesion", "a hypodense lesion"),
    ],
)
def test_the_indefinite_article(words: str, wanted: str) -> None:
    assert an(words) == wanted


@pytest.mark.parametrize(
    ("finding", "wanted"),
    [
        ("lung nodule", "lung nodules"),
        ("liver mass", "liver masses"),
        ("polyp", "polyps"),
        ("rib fracture", "rib fractures"),
        ("pneumothorax", "pneumothoraces"),
        ("brain metastasis", "brain metastases"),
        ("diverticulum", "diverticula"),
        ("bulla", "bullae"),
    ],
)
def test_plurals(finding: str, wanted: str) -> None:
    assert plural_of(finding) == wanted


DESCRIBED = (
    ("Bilateral pleural effusions.", "a pleural effusion on both sides"),
    ("Mild fatty liver.", "mild fatty liver"),
    ("Two lung nodules.", "two lung nodules"),
    ("A single lung nodule.", "a single lung nodule"),
    ("Multiple ill-defined liver masses.", "multiple ill-defined liver masses"),
    ("A well-defined oval mass of the liver.", "a well-defined oval liver mass"),
    ("A nodule of the left lung, 8 mm.", "a lung nodule on the left measuring 8 mm"),
    ("The left renal cyst has increased.", "a renal cyst on the left that has grown since the earlier study"),
    ("Two lung nodules that have increased.", "two lung nodules that have grown since the earlier study"),
    ("Schistocytes.", "schistocytes"),
    ("A single schistocyte.", "a single schistocyte"),
    ("Four schistocytes.", "four schistocytes"),
    ("Axial T2-weighted MRI of the brain.", "an axial T2-weighted MR image of the head"),
    ("MRI of the left knee.", "an MR image of the left knee"),
    ("Mild cardiomegaly.", "mild cardiomegaly"),
)  # fmt: skip


@pytest.mark.parametrize(("caption", "wanted"), DESCRIBED)
def test_everything_that_a_fact_states(caption: str, wanted: str) -> None:
    assert describe(read_facts(caption).facts[0]).removeprefix("a ") == wanted.removeprefix("a ")


AGREEMENT = (
    ("A lung nodule.", False, "lung nodule"),
    ("A single lung nodule.", False, "lung nodule"),
    ("Two lung nodules.", True, "lung nodules"),
    ("Multiple lung nodules.", True, "lung nodules"),
    ("Schistocytes.", True, "schistocytes"),
    ("A single schistocyte.", False, "schistocyte"),
    ("Four schistocytes.", True, "schistocytes"),
    ("Cardiomegaly.", False, "cardiomegaly"),
    ("Clear lungs.", True, "clear lungs"),
)


@pytest.mark.parametrize(("caption", "many", "noun"), AGREEMENT)
def test_number_of_noun_and_verb(caption: str, many: bool, noun: str) -> None:
    fact = read_facts(caption).facts[0]
    assert is_plural(fact) is many
    assert noun_of(fact) == noun
    assert describe(fact).endswith(noun)


ONE, MANY = {"is", "has"}, {"are", "have"}


@pytest.mark.parametrize(("caption", "many", "noun"), AGREEMENT)
def test_the_verb_agrees_wherever_the_noun_is_its_subject(caption: str, many: bool, noun: str) -> None:
    reading = read_facts(caption)
    fact = reading.facts[0]
    normal = lexicon().findings[fact.finding].kind == "normal"
    slot, after = ("finding", "intact ribs") if normal else ("change", "increased")
    reading, edit = reading_and_edit(caption, fact.finding, "x", slot, after)
    case, right, wrong = case_of(reading, edit, Frame()), MANY if many else ONE, ONE if many else MANY
    said = [write(case, random.Random(seed)) for seed in range(120) for write in (stated, declined)]
    said += [declined(case.inverse(), random.Random(seed)) for seed in range(40)]
    followed = {
        text.split(f"{noun} ")[1].split(" ")[0].strip(".,") for text in said if f"{noun} " in text.lower()
    } & (ONE | MANY)
    assert followed & right
    assert not followed & wrong, [text for text in said if any(f"{noun} {verb} " in text for verb in wrong)]
    there = {
        text.split("here ")[1].split(" ")[0]
        for text in said
        if f"here is {noun}" in text or f"here are {noun}" in text
    }
    assert there <= right


NOTHING_SAID, GROWN = "no earlier study to be compared with", "grown since the earlier study"
CUT = (
    ("A left pleural effusion.", "finding", "cardiomegaly", "a", ("", "a pleural effusion", "cardiomegaly", "")),
    ("A left pleural effusion.", "finding", "cardiomegaly", "the", ("the ", "pleural effusion", "cardiomegaly", "")),
    ("A left pleural effusion.", "side", "right", "a", ("a ", "left", "right", "-sided pleural effusion")),
    ("A left pleural effusion.", "side", "right", "the on", ("the pleural effusion on the ", "left", "right", "")),
    ("Schistocytes.", "presence", "absent", "a", ("", "schistocytes", "no schistocytes", "")),
    ("An oval mass of the liver.", "shape", "linear", "a", ("", "an oval", "a linear", " liver mass")),
    ("An oval mass of the liver.", "shape", "linear", "the", ("the ", "oval", "linear", " liver mass")),
    ("Mild cardiomegaly.", "severity", "severe", "a", ("", "mild", "severe", " cardiomegaly")),
    ("Two lung nodules.", "number", "single", "a", ("", "two lung nodules", "a single lung nodule", "")),
    ("A single schistocyte.", "number", "three", "a", ("", "a single schistocyte", "three schistocytes", "")),
    ("A nodule of the left lung, 8 mm.", "size", "20", "a", ("a lung nodule measuring about ", "8 mm", "2 cm", "")),
    ("A renal cyst.", "change", "increased", "a", ("a renal cyst that has ", NOTHING_SAID, GROWN, "")),
    ("Schistocytes.", "change", "increased", "the", ("the schistocytes that have ", NOTHING_SAID, GROWN, "")),
    ("Polyp of the caecum.", "site", "rectum", "a", ("a polyp ", "in the caecum", "in the rectum", "")),
    ("CT of the head.", "site", "chest", "a", ("a CT image ", "of the head", "of the chest", "")),
    ("CT of the head.", "belief:bone", "dark", "a", ("an image on which compact bone looks ", "bright", "dark", "")),
)  # fmt: skip


@pytest.mark.parametrize(("caption", "slot", "after", "article", "wanted"), CUT)
def test_the_span_is_cut_where_the_two_readings_differ(
    caption: str, slot: str, after: str, article: str, wanted: tuple[str, str, str, str]
) -> None:
    finding = read_facts(caption).facts[0].finding
    reading, edit = reading_and_edit(caption, finding, "x", slot, after)
    np = phrase(case_of(reading, edit, Frame()), article.startswith("the"), article.endswith("on"))
    assert (np.before, np.true, np.false, np.after) == wanted


def test_places_sides_and_lengths() -> None:
    assert place("kidney", "left") == "in the left kidney"
    assert place("kidney", "bilateral") == "in the kidney"
    assert place("L4", None) == "at L4"
    assert place("knee", "left", "MR image") == "of the left knee"
    assert on_side("bilateral") == "on both sides"
    assert [length(mm) for mm in (8, 8.5, 10, 25)] == ["8 mm", "8.5 mm", "1 cm", "2.5 cm"]


def test_every_finding_site_and_word_can_be_put_in_a_phrase() -> None:
    findings = lexicon().findings
    for name, finding in findings.items():
        assert indefinite(name).endswith(name)
        if finding.noun == "count":
            assert plural_of(name) != name
            assert "  " not in plural_of(name)
    for site in lexicon().sites:
        assert "{" not in place(site, "left")
        assert "  " not in place(site, None)
    for term in lexicon().attributes.values():
        fact = with_value(Fact("lung nodule", "", 0, 0, "present"), term.scale, term.term)
        assert "None" not in describe(fact)
        assert "  " not in describe(fact)
