"""What the answers say, form by form the same: what is there, and what of the premise is not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from mht.knowledge.lexicon import is_study, lexicon
from mht.pairing.phrases import Case, describe, indefinite, on_side, place
from mht.records import Fact


def pick(rng: random.Random, choices: Sequence[str]) -> str:
    """One of the choices; one call of the generator."""
    return choices[int(rng.random() * len(choices))]


def capital(text: str) -> str:
    """The text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def verb(case: Case) -> str:
    """`is` or `are`, as the fact's noun asks."""
    return "are" if lexicon().findings[case.fact.finding].noun == "plural" else "is"


_TRUE = (
    "{image} shows {np}.",
    "there {be} {np}.",
    "{np} can be seen.",
    "{np} {be} visible on {image}.",
    "one can see {np} on {image}.",
    "{np} {be} present.",
    "what {image} shows is {np}.",
    "{image} demonstrates {np}.",
    "{np} can be made out.",
    "the image contains {np}.",
)


_IS = (
    "this is {np}.",
    "the image is {np}.",
    "what you see is {np}.",
    "we are looking at {np}.",
    "it is {np}.",
)
_IS_NOT = (
    "this is {np}, not {other}.",
    "the image is {np} rather than {other}.",
    "what you see is not {other}. It is {np}.",
    "we are looking at {np}, not at {other}.",
)


def _edited(case: Case) -> Fact:
    """The fact as the false premise has it."""
    fact, slot, value = case.fact, case.edit.slot, case.edit.after
    if slot == "finding":
        return replace(fact, finding=value)
    return replace(fact, side=value) if slot == "side" else replace(fact, site=value)


def stated(case: Case, rng: random.Random) -> str:
    """One sentence, in lower case at its start, that says what is there."""
    if is_study(case.fact.finding):
        return pick(rng, _IS).format(np=describe(case.fact))
    return pick(rng, _TRUE).format(image=case.image, np=describe(case.fact), be=verb(case))


_FALSE = {
    "finding": (
        "{image} does not show {h}; it shows {np}.",
        "there {hbe} no {hbare} here, but there {be} {np}.",
        "{h} cannot be seen. What can be seen is {np}.",
        "no {hbare} {hbe} visible on {image}; instead there {be} {np}.",
        "no {hbare} can be made out, whereas {np} can.",
        "{image} shows {np}, but no {hbare}.",
    ),
    "side": (
        "the {f} {be} {there}, not {other}.",
        "the {f} {be} to be found {there} and not {other}.",
        "{image} shows the {f} {there} rather than {other}.",
        "it is the {true} side that shows the {f}, not the {false} one.",
    ),
    "severity": (
        "the {f} {be} {true}, not {false}.",
        "the {f} should be called {true} rather than {false}.",
        "{image} shows {np}; to call the finding {false} would be wrong.",
        "{false} is not the word: the {f} {be} {true}.",
    ),
    "site": (
        "the {f} {be} {there}, not {other}.",
        "the {f} {be} to be found {there} and not {other}.",
        "{image} shows the {f} {there} rather than {other}.",
        "the place is another one: the {f} {be} {there}, not {other}.",
    ),
}


def _places(case: Case) -> tuple[str, str]:
    fact, edit = case.fact, case.edit
    if edit.slot == "site":
        return place(edit.before, fact.side), place(edit.after, fact.side)
    if fact.site is not None and "site" in case.shown:
        return place(fact.site, edit.before), place(fact.site, edit.after)
    return on_side(edit.before), on_side(edit.after)


def declined(case: Case, rng: random.Random) -> str:
    """One or two sentences, in lower case at the start, that decline the false premise and say what is there."""
    edit = case.edit
    if is_study(case.fact.finding):
        other = describe(_edited(case))
        return pick(rng, _IS_NOT).format(np=describe(case.fact), other=other)
    words = {"image": case.image, "np": describe(case.fact), "f": case.fact.finding, "be": verb(case)}
    if edit.slot == "finding":
        words |= {"h": indefinite(edit.after), "hbare": edit.after}
        words["hbe"] = "are" if lexicon().findings[edit.after].noun == "plural" else "is"
    else:
        words |= {"true": edit.before, "false": edit.after}
        if edit.slot != "severity":
            words["there"], words["other"] = _places(case)
    return pick(rng, _FALSE[edit.slot]).format(**words)
