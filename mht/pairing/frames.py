"""Which terms of a fact a question shows or asks for beside the edited one, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mht.knowledge.lexicon import CHANGE, NORMAL, STUDY_SCALES, is_study, lexicon, seen_at
from mht.knowledge.slots import BELIEF, FINDING, NUMBER, PRESENCE
from mht.records import Fact

UNIT = 1000  # one proposal in the corpus table's whole numbers
SHOW, ASK, LIST = "show", "ask", "list"
"""What a form does with a fact: shows terms beside the edited one, asks for one, or lists findings to choose from."""
_SHOWN_SHARE = 200
_ASKED = ("side", "site", "severity", "size")


@dataclass(frozen=True, slots=True)
class Frame:
    """What a question shows beside the edited term, or asks for; at most one of them. `share` is in UNITs."""

    shown: str | None = None
    ask: str | None = None
    share: int = 0

    def key(self, fact: Fact) -> str:
        """The frame as the corpus table knows it: with the value that is shown, or the name of what is asked."""
        if self.shown is not None:
            return f"+{getattr(fact, self.shown)}"
        return f"?{self.ask}" if self.ask is not None else ""


PLAIN = Frame(share=UNIT)


class Terms(NamedTuple):
    """What of a fact decides how it can be asked about; small, so that answers can be kept."""

    finding: str
    side: str | None
    site: str | None
    severity: str | None
    size: bool


def terms(fact: Fact) -> Terms:
    return Terms(fact.finding, fact.side, fact.site, fact.severity, bool(fact.size_mm))


def _shows_side(terms: Terms, slot: str, after: str) -> bool:
    if is_study(terms.finding):
        return False  # an image has no side of its own, only the part of the body that it shows
    if terms.side is None or slot == "side" or (slot == "site" and terms.side == "bilateral"):
        return False
    if slot == "site" and lexicon().sites[after].sided == "no":
        return False
    return lexicon().findings[after if slot == "finding" else terms.finding].sided


def _shows_site(terms: Terms, slot: str, after: str) -> bool:
    if terms.site is None or slot == "site":
        return False
    if slot == "side":
        return lexicon().sites[terms.site].sided == "yes"
    return slot != "finding" or seen_at(after, terms.site)


def _needs_site(slot: str, after: str, terms: Terms) -> bool:
    findings = lexicon().findings
    if slot == "side":
        return not findings[terms.finding].sided
    asked = (terms.finding, after) if slot == "finding" else (terms.finding,)
    return slot != "site" and any(findings[finding].kind == CHANGE for finding in asked)


def frames(kind: str, slot: str, after: str, fact: Fact) -> tuple[Frame, ...]:
    """The frames that fit a fact and an edit of it, a plain one first with all that the others leave.

    Empty where the question could not be asked: of a change without its site, of a side that nothing has, for a term
    that the fact does not give.
    """
    return framed(kind, slot, after if slot in ("finding", "site") else "", terms(fact))


@lru_cache(maxsize=1 << 16)
def framed(kind: str, slot: str, after: str, terms: Terms) -> tuple[Frame, ...]:
    """`frames` of a fact's terms; `after` counts only for a finding or a site."""
    if kind == LIST:
        return (PLAIN,) if slot == FINDING and not _needs_site(slot, after, terms) else ()
    return _asking(slot, after, terms) if kind == ASK else _showing(slot, after, terms)


def _showing(slot: str, after: str, terms: Terms) -> tuple[Frame, ...]:
    if slot == PRESENCE or slot.startswith(BELIEF):
        return (PLAIN,) if slot != PRESENCE or lexicon().findings[terms.finding].kind != CHANGE else ()
    if _needs_site(slot, after, terms):
        return (Frame(shown="site", share=UNIT),) if _shows_site(terms, slot, after) else ()
    fitting = tuple(
        Frame(shown=shown, share=_SHOWN_SHARE)
        for shown, fits in (("side", _shows_side), ("site", _shows_site))
        if fits(terms, slot, after)
    )
    return (Frame(share=UNIT - sum(frame.share for frame in fitting)), *fitting)


def _asking(slot: str, after: str, terms: Terms) -> tuple[Frame, ...]:
    if not asks(slot) or is_study(terms.finding) or _needs_site(slot, after, terms):
        return ()
    if slot == FINDING and NORMAL in (lexicon().findings[t].kind for t in (terms.finding, after)):
        return ()  # nobody asks on which side the heart is normal
    asked = tuple(a for a in _ASKED if a != slot and getattr(terms, a))
    return tuple(Frame(ask=a, share=UNIT // len(asked)) for a in asked)


def asks(slot: str) -> bool:
    """Whether a question that asks for one term can hold an edit of this slot beside it."""
    return slot not in (PRESENCE, NUMBER, *STUDY_SCALES) and not slot.startswith(BELIEF)
