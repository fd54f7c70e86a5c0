"""A question that takes its premise for granted: the answer either builds on it or sets it right."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.knowledge.slots import BELIEF, NUMBER, PRESENCE
from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.frames import SHOW
from mht.pairing.phrases import Case, phrase
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = SHOW
_OPEN = (
    "I can see {np} on {image}. How would you describe the finding?",
    "Given {np}, what would you write in the report?",
    "Given {np} on {image}, what can be said?",
    "{image:C} shows {np}. What else can you say about the finding?",
    "How would you report {np} on {image}?",
    "Please describe {np} seen on {image}.",
    "Considering {np}, how would you put the finding into words?",
    "We noticed {np} on {image}. Please put it into a sentence.",
    "My colleague pointed out {np}. How would you word that for {image}?",
    "What does {image} tell us about {np}?",
    "Since {image} shows {np}, how should the finding be summarised?",
    "With {np} in view, please summarise {image}.",
    "In what words would you present {np} seen on {image}?",
    "Describe {np} as it appears on {image}.",
    "Please comment on {np} on {image}.",
    "I would like to teach with {np} on {image}. What should I say about the finding?",
    "With {np} as the main point, what should the reader take from {image}?",
    "In view of {np}, what does {image} amount to?",
)
_STUDY = (
    "As this is {np}, how would you introduce it in a report?",
    "Given that this is {np}, what should the first line of the report say?",
    "Since we are looking at {np}, how should it be labelled?",
    "This is {np}. How would you put that in a report?",
    "Please write the technique line for {np} such as this.",
    "Seeing that this is {np}, what would you call it in the archive?",
    "We were sent {np}. Please name it in one sentence.",
    "Considering that this is {np}, how would you announce it to the reader?",
)
_PRESENCE = (
    "Given that {image} shows {np}, what would you write in the report?",
    "{image:C} shows {np}. How would you word that?",
    "Since {image} shows {np}, how should that be summarised?",
    "We saw {np} on {image}. Please put it into a sentence.",
    "My colleague reports {np}. How would you word that for {image}?",
    "Knowing that {image} shows {np}, what should the conclusion say?",
    "As {image} shows {np}, what can be concluded?",
    "A colleague wrote that {image} shows {np}. How would you put that to the reader?",
)
_BELIEF = (
    "As this is {np}, what would you say of the technique?",
    "Given that this is {np}, what would you tell the patient about the technique?",
    "Since this is {np}, how would you explain the technique to a student?",
    "This is {np}. How would you put that to a student?",
    "Considering that this is {np}, how would you describe the way it was made?",
    "Knowing that we are looking at {np}, what would you say of the method?",
)
_LEAD = ("", "", "Actually, ", "That is not what {image} shows: ", "The premise needs correcting: ")


def fits(slot: str, study: bool) -> bool:
    """Everything can be taken for granted."""
    return True


def write(case: Case, rng: random.Random) -> Written:
    """The premise as given, and the answer that describes or corrects."""
    study = is_study(case.fact.finding)
    template = ask(case, rng, _templates(case))
    definite = not study and case.edit.slot not in (PRESENCE, NUMBER) and rng.random() < 0.5
    np = phrase(case, definite, rng.random() < 0.5)
    lead, wrong = pick(rng, _LEAD).replace("{image}", case.image), case.inverse()
    answers = Answers(
        true=capital(stated(case, rng)),
        false=capital(lead + declined(case, rng)),
        true_rejected=capital(lead + declined(wrong, rng)),
        false_rejected=capital(stated(wrong, rng)),
    )
    return written(template, np, case.image, answers)


def _templates(case: Case) -> tuple[str, ...]:
    if case.edit.slot == PRESENCE:
        return _PRESENCE
    if case.edit.slot.startswith(BELIEF):
        return _BELIEF
    return _STUDY if is_study(case.fact.finding) else _OPEN
