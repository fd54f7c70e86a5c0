"""What the answers say, form by form the same: what is there, and what of the premise is not."""

from __future__ import annotations

import random
from collections.abc import Sequence

from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import ABSENT
from mht.knowledge.slots import (
    BELIEF,
    CHANGE_SLOT,
    FINDING,
    NUMBER,
    PRESENCE,
    SIDE,
    SITE,
    SIZE,
    UNCOMPARED,
    with_value,
)
from mht.pairing.phrases import (
    CHANGED,
    Case,
    describe,
    indefinite,
    is_plural,
    length,
    noun_of,
    on_side,
    phrase,
    place,
)


def pick(rng: random.Random, choices: Sequence[str]) -> str:
    """One of the choices; one call of the generator."""
    return choices[int(rng.random() * len(choices))]


def capital(text: str) -> str:
    """The text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def verb(case: Case) -> str:
    """`is` or `are`, as the fact's noun asks."""
    return "are" if is_plural(case.fact) else "is"


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
_ABSENT = (
    "{image} shows no {f}.",
    "there {be} no {f}.",
    "no {f} can be seen.",
    "no {f} {be} visible on {image}.",
    "one can see no {f} on {image}.",
    "no {f} {be} present.",
    "{image} is free of any {f}.",
    "no {f} can be made out.",
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
COMPARED = "compared"
_ALONE = (
    "there is no earlier study to compare with.",
    "an earlier study is not known.",
    "without an earlier study, nothing can be said of a change.",
)


def _study(case: Case) -> bool:
    return is_study(case.fact.finding)


def _images(case: Case) -> tuple[str, str]:
    """What the image is, and what the false premise takes it for."""
    edit = case.edit
    if edit.slot.startswith(BELIEF):
        cut = phrase(case, False, False)
        return f"{cut.before}{cut.true}{cut.after}", f"{cut.before}{cut.false}{cut.after}"
    return describe(case.fact), describe(with_value(case.fact, edit.slot, edit.after))


def stated(case: Case, rng: random.Random) -> str:
    """One sentence or two, in lower case at the start, that say what is there."""
    if _study(case):
        return pick(rng, _IS).format(np=_images(case)[0])
    if case.fact.presence == ABSENT:
        many = lexicon().findings[case.fact.finding].noun == "plural"
        return pick(rng, _ABSENT).format(image=case.image, f=case.fact.finding, be="are" if many else "is")
    said = pick(rng, _TRUE).format(image=case.image, np=describe(case.fact), be=verb(case))
    if case.edit.slot == CHANGE_SLOT and case.edit.before == UNCOMPARED:
        return f"{said} {capital(pick(rng, _ALONE))}"
    return said


_FALSE = {
    FINDING: (
        "{image} does not show {h}; it shows {np}.",
        "there {hbe} no {hbare} here, but there {be} {np}.",
        "{h} cannot be seen. What can be seen is {np}.",
        "no {hbare} {hbe} visible on {image}; instead there {be} {np}.",
        "no {hbare} can be made out, whereas {np} can.",
        "{image} shows {np}, but no {hbare}.",
    ),
    SIDE: (
        "the {f} {be} {there}, not {other}.",
        "the {f} {be} to be found {there} and not {other}.",
        "{image} shows the {f} {there} rather than {other}.",
        "it is the {true} side that shows the {f}, not the {false} one.",
    ),
    SITE: (
        "the {f} {be} {there}, not {other}.",
        "the {f} {be} to be found {there} and not {other}.",
        "{image} shows the {f} {there} rather than {other}.",
        "the place is another one: the {f} {be} {there}, not {other}.",
    ),
    SIZE: (
        "the {f} {be} {true} in size, not {false}.",
        "the {f} should be given as {true} rather than {false}.",
        "{image} shows {np}; {false} would be wrong.",
        "the size is another one: {true}, not {false}.",
    ),
    NUMBER: (
        "the number is wrong: there {be} {np}.",
        "one should count again: {image} shows {np}.",
        "{image} shows {np}; the number given is another one.",
        "there {be} {np}, which is not the number given.",
    ),
    CHANGE_SLOT: (
        "the {f} {has} {true}, which is not what was said.",
        "to say that the {f} {has} {false} would be wrong: the {f} {has} {true}.",
        "{image} shows {np}. That the {f} {has} {false} is not so.",
    ),
    UNCOMPARED: (
        "there is no earlier study here, so nobody can say that the {f} {has} {false}.",
        "a change cannot be told from one study: {image} shows {np}, and no earlier one is known.",
        "{image} shows {np}. Whether the {f} {has} changed cannot be said without an earlier study.",
    ),
    COMPARED: (
        "there is an earlier study to compare with, and the {f} {has} {true}.",
        "a comparison is possible: the {f} {has} {true}.",
    ),
    "": (
        "the {f} {be} {true}, not {false}.",
        "the {f} should be called {true} rather than {false}.",
        "{image} shows {np}; to call the finding {false} would be wrong.",
        "{false} is not the word: the {f} {be} {true}.",
    ),
}


def _places(case: Case) -> tuple[str, str]:
    fact, edit = case.fact, case.edit
    if edit.slot == SITE:
        return place(edit.before, fact.side), place(edit.after, fact.side)
    if fact.site is not None and "site" in case.shown:
        return place(fact.site, edit.before), place(fact.site, edit.after)
    return on_side(edit.before), on_side(edit.after)


def _values(case: Case) -> tuple[str, str]:
    """The true and the false value as a sentence says them."""
    fact, edit = case.fact, case.edit
    if edit.slot == SIZE:
        return length(fact.size_mm or float(edit.before)), length(float(edit.after))
    if edit.slot == CHANGE_SLOT:
        return CHANGED[edit.before], CHANGED[edit.after]
    return edit.before, edit.after


def declined(case: Case, rng: random.Random) -> str:
    """One or two sentences, in lower case at the start, that decline the false premise and say what is there."""
    edit = case.edit
    if _study(case):
        np, other = _images(case)
        return pick(rng, _IS_NOT).format(np=np, other=other)
    if edit.slot == PRESENCE:
        return stated(case, rng)
    words = {"image": case.image, "np": describe(case.fact), "f": noun_of(case.fact), "be": verb(case)}
    words["has"] = "have" if is_plural(case.fact) else "has"
    kind = edit.slot if edit.slot in _FALSE else ""
    if edit.slot == FINDING:
        words |= {"h": indefinite(edit.after), "hbare": edit.after}
        words["hbe"] = "are" if lexicon().findings[edit.after].noun == "plural" else "is"
    else:
        words["true"], words["false"] = _values(case)
        if edit.slot in (SIDE, SITE):
            words["there"], words["other"] = _places(case)
        if edit.before == UNCOMPARED:
            kind = UNCOMPARED
        elif edit.after == UNCOMPARED:
            kind = COMPARED
    return pick(rng, _FALSE[kind]).format(**words)
