"""Is it there? A question that yes or no answers, the answer followed by what is to be seen."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.knowledge.slots import BELIEF, PRESENCE
from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.frames import SHOW
from mht.pairing.phrases import Case, phrase, plural
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = SHOW
_ANY = (
    "Does {image} show {np}?",
    "Can you see {np} on {image}?",
    "Do you see {np} on {image}?",
    "Would you say that {image} shows {np}?",
    "Does {image} demonstrate {np}?",
    "Can {np} be seen on {image}?",
    "Can {np} be identified on {image}?",
    "Does one find {np} on {image}?",
    "Looking at {image}, do you find {np}?",
    "Should a report on {image} mention {np}?",
    "Is it correct that {image} shows {np}?",
    "Is it right to say that {image} contains {np}?",
    "Does {image} depict {np}?",
    "Would a reader point to {np} on {image}?",
    "Would a report of {np} fit {image}?",
    "Can you make out {np} on {image}?",
    "Does {image} give evidence of {np}?",
    "Did the imaging bring out {np}?",
    "Do the appearances on {image} amount to {np}?",
    "Have we got {np} here?",
    "Do you notice {np} in what {image} shows?",
    "In your view, does {image} reveal {np}?",
)
_SINGULAR = (
    "Is there {np}?",
    "Is there {np} on {image}?",
    "Is {np} visible on {image}?",
    "Is {np} present?",
    "On {image}, is there {np}?",
    "Is {np} to be seen here?",
    "Is {np} what {image} shows?",
    "Looking at {image}, is {np} evident?",
)
_STUDY = (
    "Is this {np}?",
    "Would you call this {np}?",
    "Are we looking at {np}?",
    "Is it right to call this {np}?",
    "Does this look like {np}?",
    "Is what you see {np}?",
    "Do you take this for {np}?",
    "Was this acquired as {np}?",
    "Should this be filed as {np}?",
    "Am I right that this is {np}?",
)
_BELIEF = (
    "Is this {np}?",
    "Would you call this {np}?",
    "Are we looking at {np}?",
    "Is it right to call this {np}?",
    "Would you agree that this is {np}?",
    "Is it correct that this is {np}?",
    "Can one say that this is {np}?",
    "Am I right that this is {np}?",
)
_STATEMENT = (
    "Is it correct that {image} shows {np}?",
    "Is it right to say that {image} shows {np}?",
    "Would you agree that {image} shows {np}?",
    "Is the statement true that {image} shows {np}?",
    "Would it be right to report {np} here?",
    "Can one say that {image} shows {np}?",
    "Does it hold that {image} shows {np}?",
    "Are we right to write {np} in the report on {image}?",
    "Would it be fair to say that {image} shows {np}?",
)
_EITHER = _ANY + _SINGULAR
_JOINT = (", ", ". ")


def fits(slot: str, study: bool) -> bool:
    """Everything can be asked for with yes or no."""
    return True


def write(case: Case, rng: random.Random) -> Written:
    """The question with `yes` for the true reading and `no` for the false one."""
    template = ask(case, rng, _templates(case))
    np = phrase(case, False, rng.random() < 0.5)
    joint, wrong = pick(rng, _JOINT), case.inverse()
    answers = Answers(
        true=_led("Yes", stated(case, rng), joint),
        false=_led("No", declined(case, rng), joint),
        true_rejected=_led("No", declined(wrong, rng), joint),
        false_rejected=_led("Yes", stated(wrong, rng), joint),
    )
    return written(template, np, case.image, answers, polar=True)


def _templates(case: Case) -> tuple[str, ...]:
    if is_study(case.fact.finding):
        return _BELIEF if case.edit.slot.startswith(BELIEF) else _STUDY
    if case.edit.slot == PRESENCE:
        return _STATEMENT
    return _ANY if plural(case) else _EITHER


def _led(word: str, sentence: str, joint: str) -> str:
    return word + joint + (capital(sentence) if joint == ". " else sentence)
