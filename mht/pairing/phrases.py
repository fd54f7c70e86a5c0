"""Noun phrases: a finding with its article, number, grade, attributes, place and size, cut where the span lies."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

from mht.knowledge.lexicon import CHANGE, STUDY, lexicon, seen_at
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import (
    BELIEF,
    CHANGE_SLOT,
    FINDING,
    NUMBER,
    PRESENCE,
    SIDE,
    SITE,
    SIZE,
    attribute,
    with_value,
)
from mht.knowledge.spelling import PLURALS
from mht.records import Edit, Fact, Reading

_FIELD = {SIZE: "size_mm"}
_YOU = ("uni", "ure", "ute", "eu")
CHANGED = {
    "increased": "grown since the earlier study",
    "decreased": "shrunk since the earlier study",
    "unchanged": "not changed since the earlier study",
    "new": "appeared since the earlier study",
    "uncompared": "no earlier study to be compared with",
}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase in two readings that differ in one span."""

    before: str
    true: str
    false: str
    after: str


@dataclass(frozen=True, slots=True)
class Case:
    """All that a form may word: a true fact, the edit that falsifies it, and what the question shows or asks.

    `shown` names the terms of the fact that stand in the question beside the edited one; `ask` the one that is asked
    for (None: nothing in particular). `image` is what the question calls the image. `reading` is all that is known.
    `wordings` is the half of the question templates that may be used.
    """

    fact: Fact
    edit: Edit
    shown: tuple[str, ...]
    ask: str | None
    image: str
    reading: Reading = field(repr=False)
    wordings: str = "all"

    def inverse(self) -> Case:
        """The same question's case if the false premise were the true one: its right answers are wrong here."""
        edit = self.edit
        fact = with_value(self.fact, edit.slot, edit.after)
        if edit.slot == FINDING:  # grade and attributes are the true finding's own
            side = fact.side if lexicon().findings[edit.after].sided else None
            site = fact.site if fact.site and seen_at(edit.after, fact.site) else None
            fact = Fact(edit.after, fact.text, fact.start, fact.end, fact.presence, side, site)
            if self.ask is not None:
                fact = replace(
                    fact,
                    **{_FIELD.get(self.ask, self.ask): getattr(self.fact, _FIELD.get(self.ask, self.ask))},
                )
        back = Edit(edit.type, edit.fact, edit.slot, edit.after, edit.before, edit.backward, edit.forward)
        return Case(fact, back, self.shown, self.ask, self.image, self.reading, self.wordings)


def an(words: str) -> str:
    """The words after `a` or `an`, by the written first letter but for those that are spoken otherwise."""
    if words.startswith("MR "):
        return f"an {words}"
    vowel = words[0].lower() in "aeiou" and not words.lower().startswith(_YOU)
    return f"{'an' if vowel else 'a'} {words}"


@lru_cache(maxsize=4096)
def indefinite(finding: str, adjectives: str = "") -> str:
    """`a pleural effusion`, `cardiomegaly`, `a small pleural effusion`."""
    words = f"{adjectives} {finding}" if adjectives else finding
    return an(words) if lexicon().findings[finding].noun == "count" else words


@lru_cache(maxsize=4096)
def plural_of(finding: str) -> str:
    """The plural of a countable finding: of its head, the last word before an `of`."""
    head, of, tail = finding.partition(" of ")
    start, space, last = head.rpartition(" ")
    if last in PLURALS:
        last = PLURALS[last]
    elif last.endswith(("s", "x", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        last = f"{last[:-1]}ies"
    else:
        last += "s"
    return f"{start}{space}{last}{of}{tail}"


@lru_cache(maxsize=4096)
def place(site: str, side: str | None, finding: str | None = None) -> str:
    """`in the left kidney`, `in the liver`, `at L4`; of an image or a change of the organ itself, `of the liver`."""
    words = lexicon().sites[site].phrase.format(f"{side} " if side in ("left", "right") else "")
    whole = finding is not None and lexicon().findings[finding].kind in (STUDY, CHANGE)
    return f"of {words.partition(' ')[2]}" if whole else words


def on_side(side: str) -> str:
    """`on the left`, `on both sides`."""
    return "on both sides" if side == "bilateral" else f"on the {side}"


def where(fact: Fact, shown: tuple[str, ...]) -> str:
    """The place as a phrase that follows the finding, from the shown terms alone; empty where none is shown."""
    side = fact.side if "side" in shown else None
    if "site" in shown and fact.site is not None:
        return " " + place(fact.site, side, fact.finding)
    return f" {on_side(side)}" if side else ""


def length(size_mm: float) -> str:
    """`8 mm`, `2.5 cm`."""
    return f"{size_mm / 10:g} cm" if size_mm >= 10 else f"{size_mm:g} mm"


def describe(fact: Fact) -> str:
    """Everything that the fact states, as one noun phrase: `a small pleural effusion on the left`."""
    return _described(fact.finding, fact.side, fact.site, fact.severity, fact.size_mm, fact.attributes)


@lru_cache(maxsize=1 << 15)
def _described(
    finding: str,
    side: str | None,
    site: str | None,
    severity: str | None,
    size_mm: float | None,
    attributes: tuple[str, ...],
) -> str:
    fact = Fact(finding, "", 0, 0, PRESENT, side, site, severity, size_mm, attributes)
    tail = where(fact, ("side", "site"))
    if site is not None and side is not None:
        unsided = lexicon().sites[site].sided == "no"
        tail += f" {on_side(side)}" if unsided or side == "bilateral" else ""
    if size_mm:
        tail += f" measuring {length(size_mm)}"
    change = attribute(fact, CHANGE_SLOT)
    if change in CHANGED and change != "uncompared":
        tail += f" that {_has(fact)} {CHANGED[change]}"
    return counted(fact, _adjectives(fact)) + tail


def _adjectives(fact: Fact) -> str:
    """Grade and attributes in front of the noun, number and change apart."""
    known = lexicon().attributes
    words = [t for t in fact.attributes if known[t].scale not in (NUMBER, CHANGE_SLOT)]
    return " ".join(([fact.severity] if fact.severity else []) + words)


def counted(fact: Fact, adjectives: str) -> str:
    """The noun with its number or article: `two small nodules`, `a single nodule`, `a nodule`."""
    number = attribute(fact, NUMBER)
    if number is None:
        return indefinite(fact.finding, adjectives)
    words = f"{adjectives} " if adjectives else ""
    if number == "single":
        return f"a single {words}{_one(fact.finding)}"
    return f"{number} {words}{_many(fact.finding)}"


def _many(finding: str) -> str:
    noun = lexicon().findings[finding].noun
    return plural_of(finding) if noun == "count" else f"areas of {finding}" if noun == "mass" else finding


@lru_cache(maxsize=1024)
def _one(finding: str) -> str:
    """One of a finding, whether the lexicon names it in the plural or as a mass: `neutrophil`, `area of fibrosis`."""
    if lexicon().findings[finding].noun != "plural":
        return f"area of {finding}" if lexicon().findings[finding].noun == "mass" else finding
    start, space, last = finding.rpartition(" ")
    singular = next((one for one, many in PLURALS.items() if many == last), None)
    if singular is None:
        cut = (
            last[:-3] + "y"
            if last.endswith("ies")
            else last[: -2 if last.endswith(("xes", "ches", "shes")) else -1]
        )
        singular = cut if last.endswith("s") else last
    return f"{start}{space}{singular}"


def is_plural(fact: Fact) -> bool:
    """Whether its verb is `are`."""
    number = attribute(fact, NUMBER)
    if number is None:
        return lexicon().findings[fact.finding].noun == "plural"
    return number != "single"


def noun_of(fact: Fact) -> str:
    """The bare noun in the number that `is_plural` tells."""
    if attribute(fact, NUMBER) is None:
        return fact.finding
    return _many(fact.finding) if is_plural(fact) else _one(fact.finding)


def _has(fact: Fact) -> str:
    return "have" if is_plural(fact) else "has"


def _of_side(case: Case, head: str, article: str, suffixed: bool) -> Phrase:
    fact, edit = case.fact, case.edit
    if "site" in case.shown and fact.site is not None:
        first, last = place(fact.site, "left", fact.finding).split("left ")
        return Phrase(f"{head} {first}", edit.before, edit.after, f" {last}")
    if suffixed:
        return Phrase(f"{head} on the ", edit.before, edit.after, "")
    return Phrase(article, edit.before, edit.after, f"-sided {fact.finding}")


def _of_word(case: Case, definite: bool, count: bool) -> Phrase:
    """A word in front of the noun: a grade, an attribute, the plane of an image."""
    edit, tail = case.edit, f" {case.fact.finding}{where(case.fact, case.shown)}"
    if definite or not count:
        return Phrase("the " if definite else "", edit.before, edit.after, tail)
    return Phrase("", an(edit.before), an(edit.after), tail)


def _of_number(case: Case) -> Phrase:
    fact, edit = case.fact, case.edit
    one, many = _one(fact.finding), _many(fact.finding)
    true, false = (f"a single {one}" if n == "single" else f"{n} {many}" for n in (edit.before, edit.after))
    return Phrase("", true, false, where(fact, case.shown))


def _of_size(case: Case, head: str) -> Phrase:
    edit = case.edit
    true, false = (length(float(mm)) for mm in (edit.before, edit.after))
    return Phrase(f"{head}{where(case.fact, case.shown)} measuring about ", true, false, "")


def _of_presence(case: Case) -> Phrase:
    words = {PRESENT: indefinite(case.fact.finding)}
    true, false = (words.get(p, f"no {case.fact.finding}") for p in (case.edit.before, case.edit.after))
    return Phrase("", true, false, "")


def _of_belief(case: Case) -> Phrase:
    first, last = lexicon().beliefs[case.edit.slot.removeprefix(BELIEF)][0].phrase.split("{}")
    return Phrase(first, case.edit.before, case.edit.after, last)


def _of_site(case: Case, head: str) -> Phrase:
    fact = case.fact
    side = fact.side if "side" in case.shown else None
    true, false = (place(site, side, fact.finding) for site in (case.edit.before, case.edit.after))
    return Phrase(f"{head} ", true, false, "")


def _of_finding(case: Case, definite: bool) -> Phrase:
    edit, tail = case.edit, where(case.fact, case.shown)
    if definite:
        return Phrase("the ", edit.before, edit.after, tail)
    return Phrase("", indefinite(edit.before), indefinite(edit.after), tail)


def phrase(case: Case, definite: bool, suffixed: bool) -> Phrase:
    """The fact's noun phrase with the edited span cut out; an article that may change stands inside the span."""
    fact, slot = case.fact, case.edit.slot
    count = lexicon().findings[fact.finding].noun == "count"
    if slot == FINDING:
        return _of_finding(case, definite)
    if slot == PRESENCE:
        return _of_presence(case)
    if slot.startswith(BELIEF):
        return _of_belief(case)
    if slot == NUMBER:
        return _of_number(case)
    head = f"the {fact.finding}" if definite else indefinite(fact.finding)
    if slot == SIDE:
        return _of_side(case, head, "the " if definite else "a " if count else "", suffixed)
    if slot == SITE:
        return _of_site(case, head)
    if slot == SIZE:
        return _of_size(case, head)
    if slot == CHANGE_SLOT:
        true, false = CHANGED[case.edit.before], CHANGED[case.edit.after]
        has = "have" if lexicon().findings[fact.finding].noun == "plural" else "has"
        return Phrase(f"{head}{where(fact, case.shown)} that {has} ", true, false, "")
    return _of_word(case, definite, count)


def plural(case: Case) -> bool:
    """Whether one of the two readings is a plural, so that the verb must not depend on the number."""
    if case.edit.slot == NUMBER:
        return True
    nouns = {lexicon().findings[case.fact.finding].noun}
    if case.edit.slot == FINDING:
        nouns.add(lexicon().findings[case.edit.after].noun)
    return "plural" in nouns
