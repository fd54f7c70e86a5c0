"""What a reply makes of a premise: in our own words for every form, and in the words of models."""

from __future__ import annotations

import pytest

from mht.evaluation.metrics._stance import is_right, said, stance
from mht.knowledge.polarity import polarity
from mht.predictions import Prediction, of_pair
from mht.records import Pair
from mht.schemas import PAIR_SCHEMA
from tests.knowledge.test_polarity import LEFT_OPEN, SURELY
from tests.pairing.corpus import pairs_of_phantoms

CHOICE = "Which of these is shown? A) a pneumothorax B) a rib fracture C) an effusion D) none of these."
YES_NO = (
    ("a pneumothorax", "Yes.", "accepts"),
    ("a pneumothorax", "no", "declines"),
    ("a pneumothorax", "No pneumothorax is seen.", "declines"),
    ("a pneumothorax", "I don't see any evidence of pneumothorax on this film.", "declines"),
    ("a pneumothorax", "The radiograph shows a large pneumothorax on the right side.", "accepts"),
    ("a pneumothorax", "The lungs are clear and the heart is normal in size.", None),
    ("a pneumothorax", "It is difficult to say from this image alone.", None),
    ("a pneumothorax", "There may be a small pneumothorax.", None),
    ("a pneumothorax", "Yes and no.", None),
    ("a pneumothorax", "", None),
    ("a pleural effusion on the right", "There is a left pleural effusion.", "declines"),
    ("a pleural effusion on the right", "The pleural effusion is on the left side.", "declines"),
    ("a pleural effusion on the right", "Bilateral pleural effusions are present.", "accepts"),
    ("a pleural effusion on the right", "There is no left pleural effusion.", None),
    ("no pneumothorax", "There is no pneumothorax.", "accepts"),
    ("no pneumothorax", "There is a small left pneumothorax.", "declines"),
    ("no pneumothorax", "Yes, no pneumothorax is visible.", "accepts"),
    ("an MR image", "This is a CT image.", "declines"),
    ("an MR image", "This is an axial MRI of the brain.", "accepts"),
)
OPEN = (
    ("correct_statement", "a large pleural effusion", "The statement is correct.", "accepts"),
    ("correct_statement", "a large pleural effusion", "This is not accurate. It is small.", "declines"),
    ("correct_statement", "a large pleural effusion", "There is a small pleural effusion.", "declines"),
    ("correct_statement", "a large pleural effusion", "There is a large effusion on the left.", "accepts"),
    ("leading_premise", "the pneumothorax", "There is a pneumothorax with lung collapse.", "accepts"),
    ("leading_premise", "the pneumothorax", "I cannot see a pneumothorax on this image.", "declines"),
    ("leading_premise", "the pneumothorax", "The heart is enlarged.", None),
    ("leading_premise", "the left pneumothorax", "A right-sided pneumothorax is seen.", "declines"),
    ("leading_premise", "consolidation", "The lungs are clear.", "declines"),
    ("leading_premise", "an image made with X-rays", "This is not an image made with X-rays.", "declines"),
    ("describe", "the rib fracture", "A displaced fracture of the left sixth rib.", "accepts"),
    ("describe", "the rib fracture", "No rib fracture. There is cardiomegaly.", "declines"),
    ("which", "the pneumothorax", "On the left.", "accepts"),
    ("which", "the pneumothorax", "On neither side: no pneumothorax is visible.", "declines"),
    ("which", "the lung nodule", "About 2 cm.", "accepts"),
    ("which", "the pleural effusion", "Mild.", "accepts"),
)
OPTIONS = (
    ("B", "accepts"),
    ("The answer is D.", "declines"),
    ("(A) a pneumothorax", "elsewhere"),
    ("None of these", "declines"),
    ("There is a rib fracture.", "accepts"),
    ("Option B is incorrect. The answer is D.", "declines"),
    ("A is wrong, B is correct.", "accepts"),
    ("I am not sure.", None),
    ("E", None),
)


@pytest.mark.parametrize("premise", ["a fracture", "the quuxed fracture"])
def test_what_is_beyond_doubt_is_accepted_and_what_is_not_ruled_out_undecided(premise: str) -> None:
    """A premise that is named, and the reference alone; one that the lexicon does not know by its words."""
    for replies, wanted in ((SURELY, "accepts"), (LEFT_OPEN, None)):
        for reply in replies:
            said_so = reply.replace("a fracture", premise)
            assert stance(row("yes_no", premise, said_so, "no")) == wanted, said_so
            assert polarity(said_so) == {"accepts": "yes", None: None}[wanted], said_so
            unnamed = Prediction("b", "1", "i", "?", "Yes, there is a fracture.", reply, state="faithful")
            assert stance(unnamed) == wanted, reply


def row(form: str, premise: str, reply: str, polarity: str | None = None, question: str = "?") -> Prediction:
    return Prediction("b", "1", "i", question, "", reply, form=form, premise=premise, polarity=polarity)


@pytest.mark.parametrize(("premise", "reply", "wanted"), YES_NO)
def test_a_reply_to_a_yes_no_question(premise: str, reply: str, wanted: str | None) -> None:
    assert stance(row("yes_no", premise, reply, "no")) == wanted
    word = {"accepts": "yes", "declines": "no", None: None}[wanted]
    assert said(row("yes_no", premise, reply, "no")) == word


@pytest.mark.parametrize(("form", "premise", "reply", "wanted"), OPEN)
def test_a_reply_to_an_open_question(form: str, premise: str, reply: str, wanted: str | None) -> None:
    assert stance(row(form, premise, reply)) == wanted


@pytest.mark.parametrize(("reply", "wanted"), OPTIONS)
def test_a_reply_to_a_choice(reply: str, wanted: str | None) -> None:
    assert stance(row("multiple_choice", "a rib fracture", reply, question=CHOICE)) == wanted


@pytest.mark.parametrize(
    ("truth", "reply", "faithful", "false"),
    [
        ("Yes, there is an effusion.", "Yes.", "accepts", "declines"),
        ("No, there is none.", "No.", "accepts", "declines"),
        ("No, there is none.", "Yes.", "declines", "accepts"),
        ("There is no mass in the liver.", "Yes, there is.", "accepts", "accepts"),
        ("There is no mass in the liver.", "The image shows a liver mass.", "declines", "accepts"),
        ("There is no mass in the liver.", "I see no mass in the liver.", "accepts", "declines"),
        ("The image shows a fracture of the rib.", "There is a rib fracture.", "accepts", None),
        ("The image shows a fracture of the rib.", "There is no rib fracture.", "declines", None),
        ("No, the vessel is not dilated.", "It does not appear so.", "accepts", "declines"),
        ("The colours are of the stain.", "They are of the cells.", None, None),
        ("No, the vessel is not dilated.", "It cannot be determined.", None, None),
    ],
)
def test_a_premise_that_nobody_wrote_down_is_read_from_the_reference(
    truth: str, reply: str, faithful: str | None, false: str | None
) -> None:
    for state, wanted in (("faithful", faithful), ("hallucinated", false)):
        assert stance(Prediction("b", "1", "i", "?", truth, reply, state=state)) == wanted


def _columns(pair: Pair) -> dict[str, object]:
    return {name: getattr(pair, name) for name in PAIR_SCHEMA.names}


@pytest.mark.parametrize("which", ["answer", "rejected"])
def test_our_own_answers_are_right_and_the_rejected_ones_wrong(which: str) -> None:
    pairs = pairs_of_phantoms(15)
    assert len({pair.form for pair in pairs}) >= 5
    taken = [is_right(of_pair(_columns(pair), getattr(pair, which))) for pair in pairs]
    assert taken.count(which == "answer") >= 0.995 * len(taken)


def test_they_are_told_without_the_word_that_they_open_with() -> None:
    """`Yes, ` and `No, ` cut off: the facts alone decide."""
    pairs = [pair for pair in pairs_of_phantoms(15) if pair.form == "yes_no"]
    replies = [(pair, pair.answer.split(maxsplit=1)[1]) for pair in pairs]
    taken = [is_right(of_pair(_columns(pair), text[0].upper() + text[1:])) for pair, text in replies]
    assert taken.count(True) >= 0.98 * len(taken)
