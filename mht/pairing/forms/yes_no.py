"""Is it there? A question that yes or no answers, the answer followed by what is to be seen."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.frames import SHOW
from mht.pairing.phrases import Case, phrase, plural
from mht.pairing.written import Written, written

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
_EITHER = _ANY + _SINGULAR
_JOINT = (", ", ". ")


def write(case: Case, rng: random.Random) -> Written:
    """The question with `yes` for the true reading and `no` for the false one."""
    usual = _ANY if plural(case) else _EITHER
    template = pick(rng, _STUDY if is_study(case.fact.finding) else usual)
    np = phrase(case, False, rng.random() < 0.5)
    return written(template, np, case.image, (_led("Yes", stated(case, rng), rng), _no(case, rng)), True)


def _led(word: str, sentence: str, rng: random.Random) -> str:
    joint = pick(rng, _JOINT)
    return word + joint + (capital(sentence) if joint == ". " else sentence)


def _no(case: Case, rng: random.Random) -> str:
    return _led("No", declined(case, rng), rng)
