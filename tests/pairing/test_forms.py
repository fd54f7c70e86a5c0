"""Every form words every case: no template left open, spans cut right, answers apart, nothing added to the premise."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType

import pytest

from mht import catalog
from mht.checks.ill_formed import _broken
from mht.knowledge.claims import claims
from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.slots import BELIEF, FINDING, PRESENCE, with_value
from mht.pairing.besides import distractors
from mht.pairing.frames import ASK, LIST, SHOW, UNIT, frames
from mht.pairing.phrases import Case, indefinite
from mht.pairing.proposals import FORMS
from mht.pairing.written import Written
from mht.records import Edit, Reading
from tests.pairing.cases import CASES, all_frames, case_of, reading_and_edit

MODULES: dict[str, ModuleType] = {name: catalog.load(FORMS, name) for name in catalog.names(FORMS)}
DRAWS = 25


def _worded(form: str, reading: Reading, edit: Edit) -> Iterator[tuple[Case, int]]:
    """The cases that a form can word, each with seeds to word it by."""
    module = MODULES[form]
    if not module.fits(edit.slot, is_study(reading.facts[edit.fact].finding)):
        return
    if module.FRAMES == LIST and len(distractors(reading, edit)) < 2:
        return
    for frame in all_frames(module.FRAMES, reading, edit):
        for seed in range(DRAWS):
            yield case_of(reading, edit, frame), seed


def _write(form: str, case: Case, seed: int) -> Written:
    text: Written = MODULES[form].write(case, random.Random(seed))
    return text


def _questions(text: Written) -> tuple[str, str]:
    return text.head + text.true + text.tail, text.head + text.false + text.tail


@pytest.mark.parametrize("form", sorted(MODULES))
@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row[1]}-{row[3]}-{row[4]}")
def test_a_form_words_a_case_in_two_readings_that_differ_in_one_span(
    form: str, row: tuple[str, str, str, str, str]
) -> None:
    reading, edit = reading_and_edit(*row)
    for case, seed in _worded(form, reading, edit):
        text = _write(form, case, seed)
        assert text == _write(form, case, seed)
        assert text.true != text.false
        assert text.np.before + text.true + text.np.after in _questions(text)[0]
        answers = text.answers
        assert answers.true != answers.true_rejected
        assert answers.true != answers.false or edit.slot == PRESENCE  # both may just say that it is there
        assert answers.false != answers.false_rejected
        for words in (
            *_questions(text),
            answers.true,
            answers.false,
            answers.true_rejected,
            answers.false_rejected,
        ):
            assert not _broken(words), words
            assert words[0].isupper(), words
        assert all(question[-1] in "?." for question in _questions(text))
        assert text.polar == (form == "yes_no")
        if text.polar:
            led = [
                words[:2]
                for words in (answers.true, answers.false_rejected, answers.false, answers.true_rejected)
            ]
            assert led == ["Ye", "Ye", "No", "No"]


@pytest.mark.parametrize("form", sorted(MODULES))
@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row[1]}-{row[3]}-{row[4]}")
def test_the_inverse_case_asks_the_same_two_questions_the_other_way_round(
    form: str, row: tuple[str, str, str, str, str]
) -> None:
    reading, edit = reading_and_edit(*row)
    for case, seed in _worded(form, reading, edit):
        there, back = _write(form, case, seed), _write(form, case.inverse(), seed)
        assert (back.head, back.true, back.false, back.tail) == (
            there.head,
            there.false,
            there.true,
            there.tail,
        )
        assert case.inverse().inverse().edit == edit
        if edit.slot != FINDING:
            assert case.inverse().inverse().fact == with_value(case.fact, edit.slot, edit.before)


def _claimed(text: str) -> set[tuple[object, ...]]:
    return {
        (c.finding, c.presence, c.side, c.site, c.severity, c.size_mm, c.attributes) for c in claims(text)
    }


@pytest.mark.parametrize("form", sorted(set(MODULES) - {"multiple_choice"}))
@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row[1]}-{row[3]}-{row[4]}")
def test_no_template_adds_to_its_premise_or_takes_away(
    form: str, row: tuple[str, str, str, str, str]
) -> None:
    """The checks read the premise alone: the question must claim the same. A list claims what stands beside it too."""
    reading, edit = reading_and_edit(*row)
    if edit.slot.startswith(BELIEF):
        return  # what is believed of a kind of image is no fact
    for case, seed in _worded(form, reading, edit):
        text = _write(form, case, seed)
        for span, question in zip((text.true, text.false), _questions(text), strict=True):
            premise = text.np.before + span + text.np.after
            assert _claimed(question) == _claimed(premise) != set(), (question, premise)


@pytest.mark.parametrize("form", sorted(MODULES))
def test_every_form_has_a_case_and_varies_its_words(form: str) -> None:
    made = [reading_and_edit(*row) for row in CASES]
    heads = {
        _write(form, case, seed).head for reading, edit in made for case, seed in _worded(form, reading, edit)
    }
    assert len(heads) >= 20


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row[1]}-{row[3]}-{row[4]}")
def test_every_slot_can_be_worded_by_two_forms(row: tuple[str, str, str, str, str]) -> None:
    reading, edit = reading_and_edit(*row)
    assert sum(any(True for _ in _worded(form, reading, edit)) for form in MODULES) >= 2


def test_the_options_of_a_choice_are_false_but_for_the_true_one() -> None:
    reading, edit = reading_and_edit(*CASES[0])
    for case, seed in _worded("multiple_choice", reading, edit):
        text = _write("multiple_choice", case, seed)
        question = _questions(text)[0]
        assert question.count(") ") == 4
        assert {fact.finding for fact in reading.facts if indefinite(fact.finding) in question} != set()
        letter = question.split(f") {text.true}")[0][-1]
        assert text.answers.true.startswith(f"{letter}) a pleural effusion. ")
        assert text.answers.false.startswith("D) none of these. ")
        assert text.answers.false_rejected.startswith(f"{letter}) cardiomegaly. ")
        assert text.answers.true_rejected.startswith("D) none of these. ")


def test_a_question_for_a_term_is_answered_with_the_term_first() -> None:
    row = ("A left pleural effusion, 20 mm. ", "pleural effusion", "laterality", "side", "right")
    reading, edit = reading_and_edit(*row)
    for case, seed in _worded("which", reading, edit):
        text = _write("which", case, seed)
        assert case.ask == "size"
        assert text.answers.true.startswith("2 cm. ")
        assert "left" in text.true
        assert "2 cm" not in _questions(text)[0]
        assert not text.answers.false.startswith("2 cm")


@pytest.mark.parametrize("kind", [SHOW, ASK, LIST])
def test_frames_share_out_one_unit(kind: str) -> None:
    reading, _ = reading_and_edit(
        "A small renal cyst in the left kidney.", "renal cyst", "severity", "severity", "large"
    )
    for slot, after in (
        ("finding", "renal stone"),
        ("side", "right"),
        ("severity", "large"),
        ("site", "adrenal gland"),
    ):
        shares = [frame.share for frame in frames(kind, slot, after, reading.facts[0])]
        assert not shares or UNIT - 2 <= sum(shares) <= UNIT


def test_a_change_is_never_asked_about_without_its_site() -> None:
    reading, edit = reading_and_edit(
        "Marked thinning of the corpus callosum.", "thinning", "severity", "severity", "mild"
    )
    assert lexicon().findings[reading.facts[edit.fact].finding].kind == "change"
    assert [frame.shown for frame in all_frames(SHOW, reading, edit)] == ["site"]
    assert not all_frames(ASK, reading, edit)


def test_the_inverse_of_another_finding_keeps_what_both_can_have() -> None:
    reading, edit = reading_and_edit(*CASES[0])
    fact = case_of(reading, edit, all_frames(SHOW, reading, edit)[0]).inverse().fact
    assert (fact.finding, fact.side, fact.severity, fact.attributes) == ("cardiomegaly", None, None, ())
    sided = replace(edit, after="lung mass")
    fact = case_of(reading, sided, all_frames(SHOW, reading, sided)[0]).inverse().fact
    assert (fact.finding, fact.side, fact.severity) == ("lung mass", "left", None)
