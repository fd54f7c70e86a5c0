"""Which terms of a fact a question shows or asks for beside the edited one, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mht.knowledge.lexicon import CHANGE, is_study, lexicon, seen_at
from mht.records import Fact

UNIT = 1000  # one proposal in the corpus table's whole numbers
SHOW, ASK = "show", "ask"


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


PLAIN = Frame()
# The frames of a form that only shows, and of one that also asks; what is left of UNIT goes to the plain frame.
FRAMES = {
    SHOW: (Frame(shown="side", share=200), Frame(shown="site", share=200)),
    ASK: (
        Frame(shown="side", share=100),
        Frame(shown="site", share=100),
        Frame(ask="side", share=100),
        Frame(ask="site", share=100),
        Frame(ask="severity", share=100),
    ),
}


class Terms(NamedTuple):
    """What of a fact decides how it can be asked about; small, so that answers can be kept."""

    finding: str
    side: str | None
    site: str | None
    severity: str | None


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


def _fits(frame: Frame, terms: Terms, slot: str, after: str) -> bool:
    if frame.shown == "side":
        return _shows_side(terms, slot, after)
    if frame.shown == "site":
        return _shows_site(terms, slot, after)
    return not is_study(terms.finding) and frame.ask != slot and getattr(terms, str(frame.ask)) is not None


def frames(kind: str, slot: str, after: str, fact: Fact) -> tuple[Frame, ...]:
    """The frames that fit a fact and an edit of it, the plain one first with all that the others leave.

    Empty where the question could not be asked: of a change without its site, of a side that nothing has.
    """
    return _frames(kind, slot, after, Terms(fact.finding, fact.side, fact.site, fact.severity))


@lru_cache(maxsize=1 << 16)
def _frames(kind: str, slot: str, after: str, terms: Terms) -> tuple[Frame, ...]:
    if _needs_site(slot, after, terms):
        return (Frame(shown="site", share=UNIT),) if _shows_site(terms, slot, after) else ()
    fitting = tuple(frame for frame in FRAMES[kind] if _fits(frame, terms, slot, after))
    return (Frame(share=UNIT - sum(frame.share for frame in fitting)), *fitting)
