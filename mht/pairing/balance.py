"""Detailed balance: a false premise is accepted so that every wording is as often true as false.

A true premise `t` becomes a false one `h` with the flow p(t) q(h | t). Metropolis's rule accepts it with
min(1, p(h) q(t | h) / (p(t) q(h | t))). Here p(.) is counted as the question will word it: the modality, the terms
that it shows or asks for, and, where one finding takes another's place, with the other one denied or unsaid, for only
then can it be proposed at all. Rare wordings are judged without the modality, and last by plain frequencies.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from mht.errors import IntegrityError
from mht.knowledge.lexicon import is_study, lexicon, related
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import (
    BELIEF,
    CHANGE_SLOT,
    FINDING,
    PRESENCE,
    SEVERITY,
    SIDE,
    SITE,
    SIZE,
    UNCOMPARED,
    beliefs,
    grid,
    undated,
    value_of,
)
from mht.knowledge.truth import DENIED, UNSAID, denied_by_name, denied_outright, unsaid_near, world
from mht.pairing.frames import ASK, LIST, SHOW, UNIT, Frame, Terms, framed, terms
from mht.records import Edit, Fact, Reading

ENOUGH_TO_LIST = 3
"""Denied findings that a reading must have for a choice among several: two beside the edited one."""
_FORMAT = 2


class PremiseTable:
    """Counts of true premises as worded in context. Tables of parts add up to the table of the whole."""

    __slots__ = ("_coarse", "counts")

    def __init__(self, counts: dict[str, int] | None = None) -> None:
        self.counts: Counter[str] = Counter(counts or {})
        self._coarse: Counter[str] | None = None

    def add(self, reading: Reading) -> None:
        """Count one reading in."""
        count_into(self.counts, reading)
        self._coarse = None

    def merge(self, other: PremiseTable) -> None:
        """Count another table's readings in."""
        self.counts.update(other.counts)
        self._coarse = None

    def coarse(self) -> Counter[str]:
        """The same counts over all modalities; made once, when first asked for."""
        if self._coarse is None:
            self._coarse = Counter()
            for key, n in self.counts.items():
                self._coarse[key.partition("|")[2]] += n
        return self._coarse

    def to_bytes(self) -> bytes:
        """The same bytes for the same counts, added in the same order."""
        body = {"format": _FORMAT, "counts": self.counts}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @staticmethod
    def from_bytes(data: bytes) -> PremiseTable:
        """Raises IntegrityError for bytes that are not a table of this format."""
        try:
            body = json.loads(data.decode("utf-8"))
            found, counts = body["format"], {str(key): int(n) for key, n in body["counts"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"the premise table cannot be read: {error}. Count the corpus again."
            ) from error
        if found != _FORMAT:
            raise IntegrityError(
                f"the premise table has format {found!r}, this version reads {_FORMAT}. Count the corpus again."
            )
        return PremiseTable(counts)


@dataclass(frozen=True, slots=True)
class Flow:
    """A proposal's keys: its premise there and back, in full context, and the plain frequency of both."""

    there: str
    back: str
    plain_there: str
    plain_back: str

    def plainer(self) -> tuple[str, str]:
        """The keys there and back without the modality that they start with."""
        return self.there.partition("|")[2], self.back.partition("|")[2]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """With what probability, and at which level that was decided: 0 full context, 1 any modality, 2 plain."""

    probability: float
    level: int


@lru_cache(maxsize=1 << 17)
def _key(modality: str, kind: str, frame: str, slot: str, topic: str, value: str) -> str:
    return f"{modality}|{kind}|{frame}|{slot}|{topic}|{value}"


def _modality(reading: Reading, fact: Fact) -> str:
    return "" if is_study(fact.finding) else reading.modality or ""


def _topic(fact: Fact, slot: str) -> str:
    """What the question holds beside the value: the finding, but for a belief, which names none."""
    return "" if slot.startswith(BELIEF) else fact.finding


def flow(reading: Reading, edit: Edit, kind: str, frame: Frame) -> Flow:
    """The keys of an edit that a form of this kind words in this frame."""
    fact = reading.facts[edit.fact]
    modality, shown, slot = _modality(reading, fact), frame.key(fact), edit.slot
    if slot == "finding":
        status = world(reading).status(edit.after)
        there = _key(modality, kind, shown, status, edit.before, edit.after)
        back = _key(modality, kind, shown, status, edit.after, edit.before)
    else:
        topic = _topic(fact, slot)
        there = _key(modality, kind, shown, slot, topic, edit.before)
        back = _key(modality, kind, shown, slot, topic, edit.after)
    return Flow(there, back, f"{slot}|{edit.before}", f"{slot}|{edit.after}")


def proposed(chance: float, draws: int) -> float:
    """How likely an edit of this chance is drawn at least once."""
    return 1.0 - (1.0 - min(1.0, chance)) ** draws


def accept_probability(
    edit: Edit, keys: Flow, table: PremiseTable, rare_below: int, draws: int = 1
) -> Acceptance:
    """Metropolis's rule at the finest level that has at least `rare_below` premises, there and back together.

    q is the chance of being proposed at all in `draws` draws of the perturbation.
    """
    levels = ((table.counts, keys.there, keys.back), (table.coarse(), *keys.plainer()))
    for level, (counts, true, false) in enumerate(levels):
        there, back = counts.get(true, 0), counts.get(false, 0)
        if there + back >= rare_below * UNIT:
            return Acceptance(_rule(there, back, edit, draws) if there else 1.0, level)
    there, back = (table.coarse().get(key, 0) for key in (keys.plain_there, keys.plain_back))
    return Acceptance(_rule(there, back, edit, draws) if there else 0.0, 2)


def _rule(there: int, back: int, edit: Edit, draws: int) -> float:
    if not back:
        return 0.0
    odds = proposed(edit.backward, draws) / proposed(edit.forward, draws)
    return min(1.0, back * odds / there)


def _alone(reading: Reading, fact: Fact, slot: str, value: str) -> bool:
    """Whether no other fact of the same kind has another value in the slot, or leaves it open."""
    return not any(
        other is not fact
        and other.presence != ABSENT
        and related(other.finding, fact.finding)
        and value_of(other, slot, reading) != value
        for other in reading.facts
    )


def _slots(reading: Reading, fact: Fact) -> Iterator[tuple[str, str]]:
    """(slot, value) of everything but the finding that an edit of the fact could make false."""
    for slot in (SIDE, SITE, SEVERITY):
        value = getattr(fact, slot)
        if value is not None:
            yield slot, value
    if fact.size_mm:
        yield SIZE, grid(fact.size_mm)
    known, change = lexicon().attributes, None
    for term in fact.attributes:
        scale = known[term].scale
        change = term if scale == CHANGE_SLOT else change
        yield scale, term
    if is_study(fact.finding):
        yield from beliefs(fact.finding)
        return
    if change is None and undated(reading):
        yield CHANGE_SLOT, UNCOMPARED
    yield PRESENCE, PRESENT


@lru_cache(maxsize=1 << 16)
def _worded(modality: str, slot: str, value: str, terms: Terms) -> tuple[tuple[str, int], ...]:
    """Every way a question can word one value of a fact, each with how often it is chosen."""
    topic = "" if slot.startswith(BELIEF) else terms.finding
    return tuple(
        (_key(modality, kind, _shown(frame, terms), slot, topic, value), frame.share)
        for kind in (SHOW, ASK)
        for frame in framed(kind, slot, value if slot == SITE else "", terms)
    )


@lru_cache(maxsize=1 << 17)
def _swapped(
    modality: str, status: str, after: str, terms: Terms, listed: bool
) -> tuple[tuple[str, int], ...]:
    """The same for a finding in whose place another one could be put, itself denied or unsaid."""
    return tuple(
        (_key(modality, kind, _shown(frame, terms), status, terms.finding, after), frame.share)
        for kind in ((SHOW, ASK, LIST) if listed else (SHOW, ASK))
        for frame in framed(kind, FINDING, after, terms)
    )


def _shown(frame: Frame, terms: Terms) -> str:
    if frame.shown is not None:
        return f"+{getattr(terms, frame.shown)}"
    return f"?{frame.ask}" if frame.ask is not None else ""


def _present(reading: Reading, fact: Fact) -> Iterator[tuple[str, int]]:
    modality, own = _modality(reading, fact), terms(fact)
    yield f"{modality}|finding|{fact.finding}", UNIT
    for slot, value in _slots(reading, fact):
        yield f"{modality}|{slot}|{value}", UNIT
        if slot == PRESENCE or _alone(reading, fact, slot, value):
            yield from _worded(modality, slot, value, own)
    denied = denied_by_name(reading, is_study(fact.finding))
    for status, pool in ((DENIED, denied), (UNSAID, unsaid_near(reading, fact))):
        for after in pool:
            yield from _swapped(modality, status, after, own, len(denied) >= ENOUGH_TO_LIST)


def count_into(counts: dict[str, int], reading: Reading) -> None:
    """Add one reading's true premises to the counts, in whole UNITs' parts."""
    for i, fact in enumerate(reading.facts):
        if fact.presence == PRESENT:
            for key, share in _present(reading, fact):
                counts[key] = counts.get(key, 0) + share
        elif denied_outright(reading, i):
            modality = _modality(reading, fact)
            plain = f"{modality}|{PRESENCE}|{ABSENT}"
            counts[plain] = counts.get(plain, 0) + UNIT
            for key, share in _worded(modality, PRESENCE, ABSENT, terms(fact)):
                counts[key] = counts.get(key, 0) + share
