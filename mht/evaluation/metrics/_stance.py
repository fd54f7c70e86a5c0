"""What a reply makes of its question's premise: takes it for true, declines it, takes something else for true.

Read in this order, the first that decides: the option of a choice; the yes or no, or the verdict, that the reply opens
with; a term of the premise that the reply sets against another (`yellow rather than pink`); the facts of the reply
against the premise's; the premise's own words; the term that a `which` question asks for; for a yes-no question, how
the reply's first sentence states or denies something. None where nothing decides, or two things disagree.

A row of a benchmark that does not name its premises is read against the reference answer: the same word, and for a
false premise what the reference denies.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

from mht.evaluation.metrics._options import picked
from mht.knowledge.claims import claims
from mht.knowledge.lexicon import is_study, lexicon, related
from mht.knowledge.polarity import (
    NO,
    YES,
    abstains,
    first_sentence,
    first_word,
    hedges,
    polarity,
    unadorned,
    verdict,
)
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.spelling import normal_words
from mht.knowledge.truth import kin_of, may_hold
from mht.knowledge.vocabulary import find
from mht.predictions import Prediction
from mht.records import Fact, Reading, State


class Stance(StrEnum):
    """The premise is taken for true, declined, or passed over for another thing that is false (another option)."""

    ACCEPTS = "accepts"
    DECLINES = "declines"
    ELSEWHERE = "elsewhere"


_OF_WORD = {YES: Stance.ACCEPTS, NO: Stance.DECLINES}
_OPTION = re.compile(r"\b([A-F])\) (.+?)(?=\. ?$|\.$| [A-F]\) )")
_OPPOSED = r"\b(?:not|rather than|instead of|nor)\s+(?:at\s+|in\s+|on\s+|as\s+|an?\s+|the\s+)*"
_TERM_AT = r"(?:(?!not\b|but\b|rather\b|instead\b)[\w-]+\s+){0,6}?"
_PARTS = re.compile(r"[;:.]\s")
_REFUTES = re.compile(
    r"\b(?:nobody can say|would be wrong|is not the word|is wrong|is incorrect|is not so|is not correct)\b",
    re.I,
)
_NEGATED = re.compile(r"\b(?:not|no|rather than|instead of|nobody|cannot)\b|n['’]t\b", re.IGNORECASE)
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_WHICH = re.compile(r"\b\d+(?:\.\d+)?\s*(?:mm|cm)\b|\b(?:left|right|bilateral|both sides)\b", re.IGNORECASE)


def stance(row: Prediction) -> Stance | None:
    """What the reply makes of the premise; None where it is undecided. The row has a reply."""
    if row.premise is not None:
        return _stance(row.answer, row.form, row.question, row.premise, row.polarity)
    faithful = row.state == State.FAITHFUL
    agrees = _agrees(row.answer, row.truth, faithful)
    return None if agrees is None else Stance.ACCEPTS if agrees == faithful else Stance.DECLINES


def said(row: Prediction) -> str | None:
    """The yes or no of a reply: its word or verdict; where the row names its premise, what becomes of that."""
    if row.premise is None or row.polarity is None:
        return polarity(row.answer)
    taken = stance(row)
    return None if taken is None else YES if taken is Stance.ACCEPTS else NO


def is_right(row: Prediction) -> bool | None:
    """Whether the reply takes the side of the truth: a true premise for true, a false one for false."""
    taken = stance(row)
    if taken is None:
        return None
    return taken is (Stance.ACCEPTS if row.state == State.FAITHFUL else Stance.DECLINES)


@lru_cache(maxsize=1 << 12)
def _stance(reply: str, form: str | None, question: str, premise: str, yes_no: str | None) -> Stance | None:
    if form == "multiple_choice":
        return _choice(reply, question, premise)
    reply = unadorned(reply)
    said = verdict(reply)
    if said is not None:
        return _OF_WORD[said]
    taken = _by_content(reply, premise)
    if taken is not None or abstains(reply):
        return taken
    if form == "which":
        return _by_term(reply)
    if yes_no is not None and not _says_other(reply, premise):
        said = polarity(reply)
        return None if said is None else _OF_WORD[said]
    return None


@lru_cache(maxsize=1 << 12)
def _agrees(reply: str, truth: str, faithful: bool) -> bool | None:
    """Whether a reply agrees with the reference answer to a question whose premise nobody wrote down."""
    reply = unadorned(reply)
    said, due = verdict(reply), first_word(truth)
    if said is not None:
        return said == due if due is not None else (said == YES) == faithful
    known = claims(truth) if faithful else tuple(fact for fact in claims(truth) if fact.presence == ABSENT)
    by_facts = _by_facts(claims(reply), known)
    if by_facts is not None or abstains(reply):
        return None if by_facts is None else by_facts is Stance.ACCEPTS
    word = polarity(reply)
    return None if word is None or due is None else word == due


def _by_content(reply: str, premise: str) -> Stance | None:
    by_words = _by_words(reply, premise)
    if by_words is Stance.DECLINES or _opposed(reply, premise):
        return Stance.DECLINES
    return _by_facts(claims(reply), claims(premise)) if claims(premise) else by_words


def _choice(reply: str, question: str, premise: str) -> Stance | None:
    """By the option that the reply picks, or that its first sentence does."""
    options = [text for _, text in _OPTION.findall(question)]
    option = picked(reply, options) or picked(first_sentence(reply), options)
    if option is None:
        return None
    if _bare(option) == _bare(premise):
        return Stance.ACCEPTS
    return Stance.DECLINES if "none of" in option.casefold() else Stance.ELSEWHERE


def _bare(phrase: str) -> str:
    return _ARTICLE.sub("", phrase.strip().rstrip(".").casefold())


def _terms(premise: str) -> list[str]:
    """The words of a premise that a reply could set against others: sides, places, grades, colours, sizes, numbers."""
    found: list[str] = [m[0].casefold() for m in _WHICH.finditer(premise)]
    for fact in claims(premise):
        found += [word for word in (fact.site, fact.severity, *fact.attributes) if word]
    return found


def _opposed(reply: str, premise: str) -> bool:
    """`on the left, not on the right`, `yellow rather than pink`, `to call it pink would be wrong`."""
    terms = [re.escape(term) for term in _terms(premise)]
    if any(re.search(rf"{_OPPOSED}{_TERM_AT}{term}\b", reply, re.IGNORECASE) for term in terms):
        return True
    refuted = [part for part in _PARTS.split(reply) if _REFUTES.search(part)]
    return any(_repeats(part, premise, terms) for part in refuted)


def _repeats(part: str, premise: str, terms: list[str]) -> bool:
    """Whether what is refuted is the premise: a term of it, or all of it."""
    named = any(re.search(rf"\b{term}\b", part, re.IGNORECASE) for term in terms)
    return named or _by_facts(claims(part), claims(premise)) is Stance.ACCEPTS


def _by_facts(said: tuple[Fact, ...], premise: tuple[Fact, ...]) -> Stance | None:
    """A premise is declined where any of its claims is, and accepted where all that can be told are taken over."""
    takes = [_one(said, claim) for claim in premise]
    if Stance.DECLINES in takes:
        return Stance.DECLINES
    return Stance.ACCEPTS if Stance.ACCEPTS in takes else None


def _one(said: tuple[Fact, ...], claim: Fact) -> Stance | None:
    takes = {taken for fact in said if (taken := _against_one(fact, claim)) is not None}
    if len(takes) == 2:
        # Stated in one sentence and denied in another: the denial of one side, grade or place beside the statement.
        return None
    return takes.pop() if takes else None


def _against_one(fact: Fact, claim: Fact) -> Stance | None:
    """What one fact of a reply says of one claim of a premise."""
    if claim.presence == ABSENT:
        return _against_denial(fact, claim)
    if fact.presence == ABSENT:
        covers = fact.finding in lexicon().ancestors[claim.finding]
        return Stance.DECLINES if covers and _no_word_against(fact, claim) else None
    if fact.presence != PRESENT:
        return None
    if fact.finding in _excluded(claim.finding):
        return Stance.DECLINES
    if is_study(claim.finding) and is_study(fact.finding) and not related(fact.finding, claim.finding):
        return Stance.DECLINES
    if not related(fact.finding, claim.finding):
        return None
    return Stance.ACCEPTS if may_hold(claim, fact, Reading("", (fact,))) else Stance.DECLINES


def _against_denial(fact: Fact, claim: Fact) -> Stance | None:
    if fact.presence == ABSENT:
        return Stance.ACCEPTS if related(fact.finding, claim.finding) else None
    if fact.presence == PRESENT and claim.finding in lexicon().ancestors[fact.finding]:
        return Stance.DECLINES
    return None


def _excluded(finding: str) -> frozenset[str]:
    return lexicon().excluded[finding] - kin_of(finding)


def _no_word_against(denial: Fact, claim: Fact) -> bool:
    """Whether what is denied covers the claim: `no effusion` does any, `no left effusion` not one on the right."""
    wide = (denial.side in (None, "bilateral", claim.side), denial.site in (None, claim.site))
    return all(wide) and denial.severity in (None, claim.severity)


def _by_words(reply: str, premise: str) -> Stance | None:
    """The premise's own words, behind a negation or not: all there is where the lexicon does not know them."""
    phrase = _bare(premise)
    at = reply.casefold().find(phrase)
    if at < 0 or not phrase:
        return None
    before = re.split(r"[.;:,]", reply[:at])[-1]
    if hedges(before):
        return None
    return Stance.DECLINES if _NEGATED.search(before) else Stance.ACCEPTS


def _by_term(reply: str) -> Stance | None:
    """An answer of a few words to `which`, that takes the rest of the question for granted."""
    head = first_sentence(reply)
    return Stance.ACCEPTS if _is_term(head) and polarity(head) != NO else None


def _is_term(head: str) -> bool:
    """Whether a side, a length, a place or a grade is named."""
    if _WHICH.search(head):
        return True
    return any(match.kind in ("site", "severity") for match in find(normal_words(head)))


def _says_other(reply: str, premise: str | None) -> bool:
    """Whether the reply states facts that decide nothing of the premise: its yes or no is about those."""
    return bool(claims(reply) and claims(premise or ""))
