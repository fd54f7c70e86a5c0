"""A question that takes its premise for granted: the answer either builds on it or sets it right."""

from __future__ import annotations

import random

from mht.knowledge.lexicon import is_study
from mht.pairing.answers import capital, declined, pick, stated
from mht.pairing.frames import ASK
from mht.pairing.phrases import Case, on_side, phrase, place
from mht.pairing.written import Written, written

FRAMES = ASK
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
    "severity": (
        "How would you grade {np}?",
        "How marked would you call {np} on {image}?",
        "{image:C} shows {np}. Which grade would you give the finding?",
        "What is the extent of {np}?",
        "Please grade {np} on {image}.",
    ),
}
_LEAD = ("", "", "Actually, ", "That is not what {image} shows: ", "The premise needs correcting: ")


def write(case: Case, rng: random.Random) -> Written:
    """The premise as given, and the answer that describes or corrects."""
    study = is_study(case.fact.finding)
    template = pick(rng, _STUDY if study else _ASKED[case.ask] if case.ask else _OPEN)
    definite = not study and (rng.random() < 0.5 or case.ask is not None)
    np = phrase(case, definite, rng.random() < 0.5)
    image = capital(case.image)
    false = capital(pick(rng, _LEAD).replace("{image}", case.image) + declined(case, rng))
    return written(template.replace("{image:C}", image), np, case.image, (_true(case, rng), false), False)


def _true(case: Case, rng: random.Random) -> str:
    """What is there; where one term was asked for, that term first."""
    fact = case.fact
    sentence = capital(stated(case, rng))
    if case.ask == "side" and fact.side:
        return f"{capital(on_side(fact.side))}. {sentence}"
    if case.ask == "site" and fact.site:
        return f"{capital(place(fact.site, fact.side))}. {sentence}"
    if case.ask == "severity" and fact.severity:
        return f"{capital(fact.severity)}. {sentence}"
    return sentence
