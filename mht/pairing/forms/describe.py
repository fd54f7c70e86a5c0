"""Describe the image, beginning with something that may not be there; the answer adds what else is."""

from __future__ import annotations

import random

from mht.knowledge.slots import CHANGE_SLOT, NUMBER, PRESENCE
from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.besides import besides
from mht.pairing.frames import SHOW
from mht.pairing.phrases import Case, phrase
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = SHOW
_TASK = (
    "Describe {image}, beginning with {np}.",
    "Write a short report on {image} that opens with {np}.",
    "Please describe {image} and say more about {np}.",
    "Give a description of {image}; start from {np}.",
    "Summarise what {image} shows, {np} first.",
    "Tell me what there is to see, {np} included.",
    "Report {image} in full and put {np} first.",
    "In a few sentences, describe {image} and in particular {np}.",
    "What would a full description of {image} say, {np} included?",
    "Put {image} into words and mention {np}.",
)
_LEAD = ("", "First a correction: ", "Not quite: ", "One thing has to be set right: ")


def fits(slot: str, study: bool) -> bool:
    """A description is of findings that are there, not of the kind of image or of what is absent."""
    return not study and slot not in (PRESENCE, CHANGE_SLOT)


def write(case: Case, rng: random.Random) -> Written:
    """What is there, the named finding first; where it is not there, that first."""
    template = ask(case, rng, _TASK)
    np = phrase(case, case.edit.slot != NUMBER and rng.random() < 0.5, rng.random() < 0.5)
    lead, wrong, more = pick(rng, _LEAD), case.inverse(), besides(case, rng)
    answers = Answers(
        true=capital(stated(case, rng)) + more,
        false=capital(lead + declined(case, rng)) + more,
        true_rejected=capital(lead + declined(wrong, rng)) + more,
        false_rejected=capital(stated(wrong, rng)) + more,
    )
    return written(template, np, case.image, answers)
