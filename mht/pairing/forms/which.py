"""What, which, where: a question for one term of a finding, whose premise is the rest of what it says."""

from __future__ import annotations

import random

from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.frames import ASK, asks
from mht.pairing.phrases import Case, length, on_side, phrase, place
from mht.pairing.wordings import ask
from mht.pairing.written import Answers, Written, written

FRAMES = ASK
_ASKED = {
    "side": (
        "On which side do you see {np}?",
        "Which side would you name for {np}?",
        "Left or right: on which side do you see {np}?",
        "{image:C} shows {np}. On which side?",
        "Tell me the side of {np} on {image}.",
    ),
    "site": (
        "Where exactly do you see {np}?",
        "In which part of the body do you see {np}?",
        "{image:C} shows {np}. In which place?",
        "Please locate {np} on {image}.",
        "What is the location of {np}?",
    ),
    "size": (
        "How large would you call {np}?",
        "What does {np} measure?",
        "{image:C} shows {np}. What length would you give?",
        "Which diameter has {np} on {image}?",
        "What is the size of {np}?",
    ),
    "severity": (
        "How would you grade {np}?",
        "How marked would you call {np} on {image}?",
        "{image:C} shows {np}. Which grade would you give the finding?",
        "What is the extent of {np}?",
        "Please grade {np} on {image}.",
    ),
}
_LEAD = ("", "", "Actually, ", "That cannot be answered as it is asked: ", "The question needs correcting: ")


def fits(slot: str, study: bool) -> bool:
    """An image as such has no side, grade or size to ask for."""
    return not study and asks(slot)


def write(case: Case, rng: random.Random) -> Written:
    """The term that is asked for, first; where the premise is false, what is wrong with it."""
    template = ask(case, rng, _ASKED[str(case.ask)])
    np = phrase(case, True, rng.random() < 0.5)
    lead, wrong = pick(rng, _LEAD), case.inverse()
    answers = Answers(
        true=_asked(case, rng),
        false=capital(lead + declined(case, rng)),
        true_rejected=capital(lead + declined(wrong, rng)),
        false_rejected=_asked(wrong, rng),
    )
    return written(template, np, case.image, answers)


def _asked(case: Case, rng: random.Random) -> str:
    """The term in a word or two, then the whole finding."""
    return f"{capital(_term(case))}. {capital(stated(case, rng))}"


def _term(case: Case) -> str:
    fact = case.fact
    if case.ask == "side":
        return on_side(str(fact.side))
    if case.ask == "site":
        return place(str(fact.site), fact.side)
    return length(fact.size_mm or 0) if case.ask == "size" else str(fact.severity)
