"""Detailed balance: a false premise is accepted so that every wording is as often true as false.

A true premise `t` becomes a false one `h` with the flow p(t) q(h | t). Metropolis's rule accepts it with
min(1, p(h) q(t | h) / (p(t) q(h | t))). Here p(.) is counted as the question will word it: the modality, the terms
that it shows or asks for, and, where one finding takes another's place, with the other one denied or unsaid, for only
then can it be proposed at all. Rare wordings are judged without the modality, then by what is said and not how, and
last by plain frequencies.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mht.errors import IntegrityError
from mht.knowledge.lexicon import NORMAL, STUDY, is_study, lexicon, related
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
    can_change,
    grid,
    undated,
    value_of,
)
from mht.knowledge.truth import DENIED, UNSAID, denied_by_name, denied_outright, unsaid_near, world
from mht.pairing.frames import ASK, LIST, SHOW, UNIT, Frame, Terms, framed, terms
from mht.records import Edit, Fact, Reading

ENOUGH_TO_LIST = 3
"""Denied findings that a reading must have for a choice among several: two beside the edited one."""
_FORMAT = 3
_ANYHOW = "*|"


class Situation(NamedTuple):
    """What decides how a true premise can be worded: counted once, worded when the table is first asked.

    `slot` with `value` for a value of a fact; for another finding in its place, whether that is denied or unsaid, and
    which. `terms` is None where the value is only counted plainly, `listed` whether a choice among several could be
    made of it.
    """

    modality: str
    slot: str
    value: str
    terms: Terms | None
    listed: bool


class PremiseTable:
    """Counts of true premises as worded in context. Tables of parts add up to the table of the whole."""

    __slots__ = ("_coarse", "_counts", "situations")

    def __init__(self, situations: Mapping[Situation, int] | None = None) -> None:
        self.situations: dict[Situation, int] = dict(situations or {})
        self._counts: dict[str, int] | None = None
        self._coarse: dict[str, int] | None = None

    def add(self, reading: Reading) -> None:
        """Count one reading in."""
        count_into(self.situations, reading)
        self._counts = self._coarse = None

    def merge(self, other: PremiseTable) -> None:
        """Count another table's readings in."""
        own = self.situations
        for situation, n in other.situations.items():
            own[situation] = own.get(situation, 0) + n
        self._counts = self._coarse = None

    @property
    def counts(self) -> dict[str, int]:
        """How often each wording is true, in UNITs; made once, when first asked for."""
        if self._counts is None:
            self._counts = {}
            for situation, n in self.situations.items():
                for key, share in worded(situation):
                    self._counts[key] = self._counts.get(key, 0) + n * share
        return self._counts

    def coarse(self) -> dict[str, int]:
        """The same counts over all modalities; made once, when first asked for."""
        if self._coarse is None:
            self._coarse = {}
            for key, n in self.counts.items():
                plain = key.partition("|")[2]
                self._coarse[plain] = self._coarse.get(plain, 0) + n
        return self._coarse

    def to_bytes(self) -> bytes:
        """The same bytes for the same counts, added in the same order."""
        rows = [(s.modality, s.slot, s.value, s.terms, s.listed, n) for s, n in self.situations.items()]
        body = {"format": _FORMAT, "situations": rows}
        return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")

    @staticmethod
    def from_bytes(data: bytes) -> PremiseTable:
        """Raises IntegrityError for bytes that are not a table of this format."""
        try:
            body = json.loads(data.decode("utf-8"))
            found = body["format"]
            situations = {
                Situation(str(m), str(slot), str(value), Terms(*terms) if terms else None, bool(listed)): int(
                    n
                )
                for m, slot, value, terms, listed, n in body.get("situations", ())
            }
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"the premise table cannot be read: {error}. Count the corpus again."
            ) from error
        if found != _FORMAT:
            raise IntegrityError(
                f"the premise table has format {found!r}, this version reads {_FORMAT}. Count the corpus again."
            )
        return PremiseTable(situations)


@dataclass(frozen=True, slots=True)
class Flow:
    """A proposal's keys: its premise there and back, in full context."""

    there: str
    back: str

    def plainer(self) -> tuple[str, str]:
        """The keys there and back without the modality that they start with."""
        return self.there.partition("|")[2], self.back.partition("|")[2]

    def unframed(self) -> tuple[str, str]:
        """The keys without modality, form and frame: the value of this finding, however it is worded."""
        return _ANYHOW + self.there.split("|", 3)[3], _ANYHOW + self.back.split("|", 3)[3]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """With what probability, and at which level that was decided.

    0 is the full context, 1 any modality, 2 any wording, 3 plain frequencies.
    """

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
    if slot == FINDING:
        status = world(reading).status(edit.after)
        return _flow(
            modality, kind, shown, (status, edit.before, edit.after), (status, edit.after, edit.before)
        )
    topic = _topic(fact, slot)
    return _flow(modality, kind, shown, (slot, topic, edit.before), (slot, topic, edit.after))


@lru_cache(maxsize=1 << 16)
def _flow(
    modality: str, kind: str, shown: str, there: tuple[str, str, str], back: tuple[str, str, str]
) -> Flow:
    return Flow(_key(modality, kind, shown, *there), _key(modality, kind, shown, *back))


def proposed(chance: float, draws: int) -> float:
    """How likely an edit of this chance is drawn at least once."""
    return 1.0 - (1.0 - min(1.0, chance)) ** draws


def accept_probability(
    edit: Edit, keys: Flow, table: PremiseTable, rare_below: int, draws: int = 1
) -> Acceptance:
    """Metropolis's rule at the finest level that has at least `rare_below` premises, there and back together.

    q is the chance of being proposed at all in `draws` draws of the perturbation.
    """
    enough = rare_below * UNIT
    there, back = table.counts.get(keys.there, 0), table.counts.get(keys.back, 0)
    if there + back >= enough:
        return Acceptance(_rule(there, back, edit, draws) if there else 1.0, 0)
    coarse = table.coarse()
    there, back = (coarse.get(key, 0) for key in keys.plainer())
    if there + back >= enough:
        return Acceptance(_rule(there, back, edit, draws) if there else 1.0, 1)
    there, back = (coarse.get(key, 0) for key in keys.unframed())
    if there + back >= enough:
        return Acceptance(_rule(there, back, edit, draws) if there else 1.0, 2)
    if edit.slot == FINDING:
        return Acceptance(0.0, 3)  # how common a finding is says nothing of where it is denied
    there, back = (coarse.get(f"{edit.slot}|{value}", 0) for value in (edit.before, edit.after))
    return Acceptance(_rule(there, back, edit, draws) if there else 0.0, 3)


def _rule(there: int, back: int, edit: Edit, draws: int) -> float:
    if not back:
        return 0.0
    if edit.backward == edit.forward:
        return min(1.0, back / there)
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
    kind = lexicon().findings[fact.finding].kind
    if kind == STUDY:
        yield from beliefs(fact.finding)
    elif kind != NORMAL:
        if change is None and can_change(fact.finding) and undated(reading):
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


def worded(situation: Situation) -> tuple[tuple[str, int], ...]:
    """The keys of a situation, each with its share of a UNIT."""
    modality, slot, value, own, listed = situation
    if slot in (DENIED, UNSAID) and own is not None:
        anyhow = (f"{modality}|{_ANYHOW}{slot}|{own.finding}|{value}", UNIT)
        return (anyhow, *_swapped(modality, slot, value, own, listed))
    plain = (f"{modality}|{slot}|{value}", UNIT)
    if own is None:
        return (plain,)
    topic = "" if slot.startswith(BELIEF) else own.finding
    anyhow = (f"{modality}|{_ANYHOW}{slot}|{topic}|{value}", UNIT)
    return (plain, anyhow, *_worded(modality, slot, value, own))


def _present(reading: Reading, fact: Fact) -> Iterator[Situation]:
    modality, own = _modality(reading, fact), terms(fact)
    yield Situation(modality, FINDING, fact.finding, None, False)
    for slot, value in _slots(reading, fact):
        alone = slot == PRESENCE or _alone(reading, fact, slot, value)
        yield Situation(modality, slot, value, own if alone else None, False)
    denied = denied_by_name(reading, is_study(fact.finding))
    listed = len(denied) >= ENOUGH_TO_LIST
    for after in denied:
        yield Situation(modality, DENIED, after, own, listed)
    for after in unsaid_near(reading, fact):
        yield Situation(modality, UNSAID, after, own, listed)


def count_into(counts: dict[Situation, int], reading: Reading) -> None:
    """Add one reading's true premises to the counts."""
    for i, fact in enumerate(reading.facts):
        if fact.presence == PRESENT:
            for situation in _present(reading, fact):
                counts[situation] = counts.get(situation, 0) + 1
        elif denied_outright(reading, i):
            situation = Situation(_modality(reading, fact), PRESENCE, ABSENT, terms(fact), False)
            counts[situation] = counts.get(situation, 0) + 1
