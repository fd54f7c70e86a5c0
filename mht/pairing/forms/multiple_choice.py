"""Several findings to choose from, and "none of these": the true one or a false one among others that are false."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.knowledge.slots import FINDING
from mht.pairing.answers import capital, stated
from mht.pairing.besides import distractors
from mht.pairing.frames import LIST
from mht.pairing.phrases import Case, indefinite, phrase
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = LIST
_NONE = "none of these"
_TASK = (
    "Which of these does {image} show? {o}",
    "Choose what fits {image}. {o}",
    "One answer is right for {image}. {o}",
    "Which option would you pick for {image}? {o}",
    "What is to be seen on {image}? {o}",
    "Tick what {image} shows. {o}",
    "Which of the following can be found on {image}? {o}",
)
_STUDY = ("What is this? {o}", "Which option names this image? {o}", "Choose the kind of image. {o}")
_LETTERS = "ABCDEF"


def fits(slot: str, study: bool) -> bool:
    """Findings stand beside one another, and so do kinds of image."""
    return slot == FINDING


def write(case: Case, rng: random.Random) -> Written:
    """The options in random order, `none of these` last; the answer by letter and name."""
    others = rng.sample(distractors(case.reading, case.edit), 2)
    at = int(rng.random() * 3)
    options = [indefinite(finding) for finding in others]
    options.insert(at, "{np}")
    options.append(_NONE)
    listed = " ".join(f"{letter}) {option}" for letter, option in zip(_LETTERS, options, strict=False))
    templates = _STUDY if is_study(case.fact.finding) else _TASK
    template = ask(case, rng, templates).replace("{o}", f"{listed}.")
    own, none = f"{_LETTERS[at]}) ", f"{_LETTERS[len(options) - 1]}) {_NONE}. "
    wrong = case.inverse()
    answers = Answers(
        true=f"{own}{indefinite(case.edit.before)}. {capital(stated(case, rng))}",
        false=f"{none}{capital(stated(case, rng))}",
        true_rejected=f"{none}{capital(stated(wrong, rng))}",
        false_rejected=f"{own}{indefinite(case.edit.after)}. {capital(stated(wrong, rng))}",
    )
    return written(template, phrase(case, False, False), case.image, answers)
