"""Every form words every case: no template left open, spans cut right, the two answers apart."""

from __future__ import annotations

import random

import pytest

from mht import catalog
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon
from mht.pairing.frames import FRAMES, UNIT, frames
from mht.pairing.phrases import Case, describe, indefinite, place
from mht.pairing.proposals import FORMS
from mht.records import Edit

CASES = (
    (
        "A small left pleural effusion.",
        Edit("existence", 0, "finding", "pleural effusion", "cardiomegaly", 1, 1),
    ),
    ("A small left pleural effusion.", Edit("laterality", 0, "side", "left", "right", 1, 1)),
    ("A small left pleural effusion.", Edit("severity", 0, "severity", "small", "large", 1, 1)),
    ("Mass in the left lower lobe.", Edit("location", 0, "site", "lower lobe", "upper lobe", 1, 1)),
    ("Focal stenosis of the right carotid artery.", Edit("laterality", 0, "side", "right", "left", 1, 1)),
    ("Clear lungs.", Edit("existence", 0, "finding", "clear lungs", "consolidation", 1, 1)),
    ("CT of the head.", Edit("existence", 0, "finding", "CT image", "MR image", 1, 1)),
    ("CT of the head.", Edit("location", 0, "site", "head", "chest", 1, 1)),
    ("MRI of the left knee.", Edit("laterality", 0, "side", "left", "right", 1, 1)),
)


@pytest.mark.parametrize("form", catalog.names(FORMS))
@pytest.mark.parametrize(("caption", "edit"), CASES)
def test_a_form_words_a_case(form: str, caption: str, edit: Edit) -> None:
    module = catalog.load(FORMS, form)
    fact = read_facts(caption).facts[0]
    rng, questions = random.Random(1), set()
    for _ in range(200):
        options = frames(module.FRAMES, edit.slot, edit.after, fact)
        frame = rng.choice([f for f in options if f.share])
        case = Case(fact, edit, (frame.shown,) if frame.shown else (), frame.ask, "this CT image", None)
        text = module.write(case, rng)
        for span, answer in ((text.true, text.true_answer), (text.false, text.false_answer)):
            question = text.head + span + text.tail
            assert not set("{}") & set(question + answer)
            assert "  " not in question + answer
            assert question[0].isupper()
            assert answer[0].isupper()
            assert question[-1] in "?."
            assert answer[-1] == "."
            questions.add(question)
        assert text.true != text.false
        assert text.true_answer != text.false_answer
        if text.polar:
            assert text.true_answer.startswith("Yes")
            assert text.false_answer.startswith("No")
    assert len(questions) >= 10


@pytest.mark.parametrize("kind", sorted(FRAMES))
def test_frames_share_out_one_unit(kind: str) -> None:
    fact = read_facts("A small left renal cyst in the left kidney.").facts[0]
    for slot, after in (("finding", "renal stone"), ("side", "right"), ("severity", "large")):
        assert sum(frame.share for frame in frames(kind, slot, after, fact)) == UNIT


def test_a_change_is_never_asked_about_without_its_site() -> None:
    fact = read_facts("Marked thinning of the corpus callosum.").facts[0]
    assert [f.shown for f in frames("show", "severity", "mild", fact)] == ["site"]


def test_noun_phrases() -> None:
    assert indefinite("pleural effusion", "small") == "a small pleural effusion"
    assert indefinite("cardiomegaly") == "cardiomegaly"
    assert indefinite("MR image") == "an MR image"
    assert indefinite("uterine fibroid") == "a uterine fibroid"
    assert indefinite("ulcer") == "an ulcer"
    assert place("kidney", "left") == "in the left kidney"
    assert place("L4", None) == "at L4"
    assert place("knee", "left", "MR image") == "of the left knee"
    assert describe(read_facts("Bilateral pleural effusions.").facts[0]) == "a pleural effusion on both sides"
    assert describe(read_facts("Mild fatty liver.").facts[0]) == "a mild fatty liver"


def test_every_finding_and_site_can_be_put_in_a_phrase() -> None:
    for finding in lexicon().findings:
        assert indefinite(finding).endswith(finding)
    for site in lexicon().sites:
        assert "{" not in place(site, "left")
        assert "  " not in place(site, None)
