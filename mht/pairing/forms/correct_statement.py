"""A statement to be corrected if it is wrong."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.pairing.answers import declined, pick, stated
from mht.pairing.frames import SHOW
from mht.pairing.phrases import Case, phrase
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = SHOW
_TASK = (
    "Correct this statement if it is wrong: {s}",
    "Check this sentence against {image} and put it right where needed: {s}",
    "A draft report says: {s} Is anything to be changed?",
    "Please proofread this line of a report: {s}",
    "Someone wrote: {s} Keep it or correct it.",
    "Should this sentence stand as it is? {s}",
    "Review the following statement. {s}",
    "Here is a line from a student's report: {s} Mark it.",
    "Is the following right, or has it to be changed? {s}",
    "Compare this sentence with {image} and change what does not fit: {s}",
    "A colleague said: {s} Please check it.",
    "{s} Would you take this into the report?",
    "Look for anything wrong in the following line: {s}",
    "Does this line of the report hold? {s}",
    "Look at {image} and say whether this can stand in the report: {s}",
    "Please go over this sentence and correct it if it has to be: {s}",
    "Check against {image} what was said: {s}",
    "Does this fit {image}, or should it be changed? {s}",
    "Put a tick or a correction below this sentence: {s}",
    "I wrote: {s} Is that so?",
)
_SAID = (
    "{image:C} shows {np}.",
    "One can see {np} on {image}.",
    "The finding is {np}.",
    "We see {np}.",
    "The study demonstrates {np}.",
    "On {image} one finds {np}.",
    "{image:C} contains {np}.",
    "I can make out {np} on {image}.",
    "What {image} shows is {np}.",
    "Seen on {image}: {np}.",
    "Here I see {np}.",
    "We have {np} on {image}.",
)
_STUDY = ("This is {np}.", "The image is {np}.", "What was sent is {np}.", "We are looking at {np}.")
_RIGHT = (
    "The statement can stand: ",
    "Nothing to correct: ",
    "It is right as it is: ",
    "It needs no change: ",
    "That is correct: ",
)
_WRONG = (
    "The statement is wrong: ",
    "It needs correcting: ",
    "That must be changed: ",
    "It cannot stand: ",
    "That is not correct: ",
)


def fits(slot: str, study: bool) -> bool:
    """Everything can be stated."""
    return True


def write(case: Case, rng: random.Random) -> Written:
    """The statement within a task, and the verdict with what is there."""
    said = ask(case, rng, _STUDY if is_study(case.fact.finding) else _SAID)
    template = ask(case, rng, _TASK).replace("{s}", said)
    np = phrase(case, False, rng.random() < 0.5)
    right, no, wrong = pick(rng, _RIGHT), pick(rng, _WRONG), case.inverse()
    answers = Answers(
        true=right + stated(case, rng),
        false=no + declined(case, rng),
        true_rejected=no + declined(wrong, rng),
        false_rejected=right + stated(wrong, rng),
    )
    return written(template, np, case.image, answers)
