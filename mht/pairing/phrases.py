"""Noun phrases: a finding with its article, side, site and grade, cut where the edited span begins and ends."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.lexicon import is_study, lexicon
from mht.records import Edit, Fact

_YOU = ("uni", "ure", "ute", "eu")


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
    for (None: nothing in particular). `image` is what the question calls the image. `denied_by` is the fact that
    denies the false finding, None where the text does not mention it.
    """

    fact: Fact
    edit: Edit
    shown: tuple[str, ...]
    ask: str | None
    image: str
    denied_by: Fact | None


def _an(word: str) -> str:
    """The article, by the written first letter but for the few words that are spoken otherwise."""
    if word.startswith("MR "):
        return "an"
    return "an" if word[0].lower() in "aeiou" and not word.lower().startswith(_YOU) else "a"


@lru_cache(maxsize=4096)
def indefinite(finding: str, grade: str | None = None) -> str:
    """`a pleural effusion`, `cardiomegaly`, `a small pleural effusion`."""
    words = f"{grade} {finding}" if grade else finding
    return f"{_an(words)} {words}" if lexicon().findings[finding].noun == "count" else words


@lru_cache(maxsize=4096)
def place(site: str, side: str | None, finding: str | None = None) -> str:
    """`in the left kidney`, `in the liver`, `at L4`; of an image, `of the liver`."""
    words = lexicon().sites[site].phrase.format(f"{side} " if side in ("left", "right") else "")
    return f"of {words.partition(' ')[2]}" if finding and is_study(finding) else words


def on_side(side: str) -> str:
    """`on the left`, `on both sides`."""
    return "on both sides" if side == "bilateral" else f"on the {side}"


def where(fact: Fact, shown: tuple[str, ...]) -> str:
    """The place as a phrase that follows the finding, from the shown terms alone; empty where none is shown."""
    side = fact.side if "side" in shown else None
    if "site" in shown and fact.site is not None:
        return " " + place(fact.site, side, fact.finding)
    return f" {on_side(side)}" if side else ""


@lru_cache(maxsize=8192)
def describe(fact: Fact) -> str:
    """Everything that the fact states, as one noun phrase: `a small pleural effusion on the left`."""
    tail = where(fact, ("side", "site"))
    if fact.site is not None and fact.side is not None:
        unsided = lexicon().sites[fact.site].sided == "no"
        tail += f" {on_side(fact.side)}" if unsided or fact.side == "bilateral" else ""
    return indefinite(fact.finding, fact.severity) + tail


def _of_side(case: Case, head: str, article: str, suffixed: bool) -> Phrase:
    fact, edit = case.fact, case.edit
    if "site" in case.shown and fact.site is not None:
        first, last = place(fact.site, "left", fact.finding).split("left ")
        return Phrase(f"{head} {first}", edit.before, edit.after, f" {last}")
    if suffixed:
        return Phrase(f"{head} on the ", edit.before, edit.after, "")
    return Phrase(article, edit.before, edit.after, f"-sided {fact.finding}")


def _of_severity(case: Case, definite: bool, count: bool) -> Phrase:
    edit, tail = case.edit, f" {case.fact.finding}{where(case.fact, case.shown)}"
    if definite or not count:
        return Phrase("the " if definite else "", edit.before, edit.after, tail)
    return Phrase("", f"{_an(edit.before)} {edit.before}", f"{_an(edit.after)} {edit.after}", tail)


def phrase(case: Case, definite: bool, suffixed: bool) -> Phrase:
    """The fact's noun phrase with the edited span cut out; an article that may change stands inside the span."""
    fact, edit = case.fact, case.edit
    count = lexicon().findings[fact.finding].noun == "count"
    head = f"the {fact.finding}" if definite else indefinite(fact.finding)
    if edit.slot == "finding":
        tail = where(fact, case.shown)
        if definite:
            return Phrase("the ", edit.before, edit.after, tail)
        return Phrase("", indefinite(edit.before), indefinite(edit.after), tail)
    if edit.slot == "side":
        return _of_side(case, head, "the " if definite else "a " if count else "", suffixed)
    if edit.slot == "severity":
        return _of_severity(case, definite, count)
    side = fact.side if "side" in case.shown else None
    true, false = (place(site, side, fact.finding) for site in (edit.before, edit.after))
    return Phrase(f"{head} ", true, false, "")


def plural(case: Case) -> bool:
    """Whether one of the two findings is a plural word, so that the verb must not depend on the number."""
    nouns = {lexicon().findings[case.fact.finding].noun}
    if case.edit.slot == "finding":
        nouns.add(lexicon().findings[case.edit.after].noun)
    return "plural" in nouns
