"""Where one text stands to a question: yes or no, how plainly, and how much of the question it takes up."""

from __future__ import annotations

import math
from collections.abc import Iterable

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._text import Text

Span = tuple[int, int]


def share(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole else 0.0


def count(words: Iterable[str], known: frozenset[str]) -> int:
    """How many of the words are in a list."""
    return sum(word in known for word in words)


def stand(text: Text, question: Text) -> dict[str, float]:
    """The features of one text beside its question."""
    got = {**_denial(text), **_manner(text), **_taken_up(text, question)}
    got["opposes"], got["keeps"] = _opposites(text, question)
    got["stance"] = _stance(got, "denied")
    got["main_stance"] = _stance(got, "main_denied")
    got["graded"] = got["stance"] * (1 - 0.2 * min(3, got["soft_first"]))
    return got


def _denial(text: Text) -> dict[str, float]:
    first, last = text.body()
    here, main = text.negated[first:last], text.negated[slice(*text.main())]
    denying = sum(any(text.negated[a:b]) for a, b in text.sentences)
    return {
        "lead": text.lead,
        "lead_stop": text.lead_stop,
        "denied": max(here, default=0.0),
        "main_denied": max(main, default=0.0),
        "denied_share": share(sum(here), len(here)),
        "neg_rate": share(sum(text.negated), len(text.words)),
        "neg_sentences": share(denying, len(text.sentences)),
    }


def _manner(text: Text) -> dict[str, float]:
    """Hedges, contrasts, appeals to further tests, generalities; lengths."""
    words, (first, last) = text.words, text.body()
    body, total = words[first:last], max(1, len(words))
    return {
        "hedge_first": count(body, lists.HEDGE),
        "strong_hedge": count(body, lists.STRONG_HEDGE),
        "early_hedge": count(body[:8], lists.STRONG_HEDGE),
        "hedge_rate": count(words, lists.HEDGE) / total,
        "contrast": count(words, lists.CONTRAST),
        "contrast_first": count(body, lists.CONTRAST),
        "correcting": not lists.CORRECTING.isdisjoint(words[:2]),
        "information": count(body, lists.INFORMATION),
        "consult": count(words, lists.CONSULT),
        "open": count(words, lists.OPEN),
        "soft": count(words, lists.SOFT),
        "soft_rate": count(words, lists.SOFT) / total,
        "soft_first": count(body, lists.SOFT),
        "generic": count(words, lists.GENERIC) / total,
        "defining": count(words, lists.DEFINING) / total,
        "words": math.log1p(len(words)),
        "sentences": len(text.sentences),
    }


def _taken_up(text: Text, question: Text) -> dict[str, float]:
    whole, crux = (0, len(question.words)), question.sentences[-1] if question.sentences else (0, 0)
    got: dict[str, float] = {}
    for name, of, within in (
        ("", whole, text.body()),
        ("_all", whole, (0, len(text.words))),
        ("_crux", crux, text.body()),
        ("_main", whole, text.main()),
    ):
        got[f"pol{name}"], got[f"found{name}"] = _polarity(text, within, question, of)
    return got


def _polarity(text: Text, within: Span, question: Text, of: Span) -> tuple[float, float]:
    """The question's content as the text takes it up: mean of 1 (affirmed) and -1 (denied), and the share found."""
    told = zip(question.stems[slice(*of)], question.negated[slice(*of)], strict=True)
    wanted = {stem: denied for stem, denied in told if stem}
    said = zip(text.stems[slice(*within)], text.negated[slice(*within)], strict=True)
    seen = {stem: denied for stem, denied in said if stem in wanted}
    same = sum(1 - 2 * abs(wanted[stem] - denied) for stem, denied in seen.items())
    return share(same, len(seen)), share(len(seen), len(wanted))


def _opposites(text: Text, question: Text) -> tuple[float, float]:
    """Of the opposites of which the question has one: how often the text affirms the other, and the same."""
    wanted = set(question.words)
    first, last = text.body()
    told = zip(text.words[first:last], text.negated[first:last], strict=True)
    said = {word for word, denied in told if not denied}
    opposes = keeps = 0
    for pair in lists.ANTONYMS:
        for one, other in (pair, pair[::-1]):
            if not one.isdisjoint(wanted) and other.isdisjoint(wanted):
                opposes += not other.isdisjoint(said)
                keeps += not one.isdisjoint(said)
    return opposes, keeps


def _stance(got: dict[str, float], denied: str) -> float:
    """-1 (no) to 1 (yes) towards what the question supposes; a plain yes or no that opens the text decides."""
    own = -got[denied] or min(1.0, 0.3 + got["found"] - 0.2 * got["strong_hedge"])
    if got["opposes"] and not got["keeps"]:
        own = min(own, -0.5)
    if got["correcting"]:
        own = min(own, -0.3)
    if not got["lead"]:
        return own
    return 0.8 * got["lead"] + 0.2 * own if got["lead_stop"] else got["lead"]
