"""Detailed balance: a false premise is accepted so that every wording is as often true as false.

A true premise `t` becomes a false one `h` with the flow p(t) q(h | t). Metropolis's rule accepts it with
min(1, p(h) q(t | h) / (p(t) q(h | t))). Here p(.) is counted as the question will word it: the modality, the terms
that it shows or asks for, and, where one finding takes another's place, with the other one denied or unsaid, for only
then can it be proposed at all. Rare wordings are judged without the modality, and last by plain frequencies.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass

from mht.errors import IntegrityError
from mht.knowledge.lexicon import is_study, related
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.truth import denied_by_name, unsaid_near, world
from mht.pairing.frames import FRAMES, UNIT, Frame, frames
from mht.records import Edit, Fact, Reading

SLOTS = ("side", "site", "severity")
_FORMAT = 1


class PremiseTable:
    """Counts of true premises as worded in context. Tables of parts add up to the table of the whole."""

    __slots__ = ("_coarse", "counts")

    def __init__(self, counts: dict[str, int] | None = None) -> None:
        self.counts: Counter[str] = Counter(counts or {})
        self._coarse: Counter[str] | None = None

    def add(self, reading: Reading) -> None:
        """Count one reading in."""
        self.counts.update(count(reading))
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
        """The same bytes for the same counts."""
        body = {"format": _FORMAT, "counts": {key: self.counts[key] for key in sorted(self.counts)}}
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


def _swap_key(context: str, status: str, true: str, false: str) -> str:
    return f"{context}|{status}|{true}>{false}"


def _context(reading: Reading, kind: str, frame: Frame, fact: Fact, slot: str) -> str:
    modality = "" if is_study(fact.finding) else reading.modality
    return f"{modality}|{kind}|{frame.key(fact)}|{slot}"


def flow(reading: Reading, edit: Edit, kind: str, frame: Frame) -> Flow:
    """The keys of an edit that a form of this kind words in this frame."""
    fact = reading.facts[edit.fact]
    context = _context(reading, kind, frame, fact, edit.slot)
    if edit.slot == "finding":
        status = world(reading).status(edit.after)
        there = _swap_key(context, status, edit.before, edit.after)
        back = _swap_key(context, status, edit.after, edit.before)
    else:
        there, back = (f"{context}|{fact.finding}|{value}" for value in (edit.before, edit.after))
    return Flow(there, back, f"{edit.slot}|{edit.before}", f"{edit.slot}|{edit.after}")


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


def _alone(reading: Reading, fact: Fact, slot: str) -> bool:
    """Whether no other fact of the same kind has another value in the slot, or leaves it open."""
    value = getattr(fact, slot)
    return not any(
        other is not fact
        and other.presence != ABSENT
        and related(other.finding, fact.finding)
        and getattr(other, slot) != value
        for other in reading.facts
    )


def _count_frames(counts: Counter[str], reading: Reading, fact: Fact, slot: str, after: str) -> None:
    """Every way a question can word one premise, each by how often it is chosen."""
    status = world(reading).status(after) if slot == "finding" else ""
    for kind in FRAMES:
        for frame in frames(kind, slot, after, fact):
            context = _context(reading, kind, frame, fact, slot)
            if slot == "finding":
                key = _swap_key(context, status, fact.finding, after)
            else:
                key = f"{context}|{fact.finding}|{after}"
            counts[key] += frame.share


def count(reading: Reading) -> Counter[str]:
    """What one reading adds to the corpus table: its true premises, in whole UNITs' parts."""
    counts: Counter[str] = Counter()
    for fact in reading.facts:
        if fact.presence != PRESENT:
            continue
        counts[f"{reading.modality}|finding|{fact.finding}"] += UNIT
        for slot in SLOTS:
            value = getattr(fact, slot)
            if value is not None:
                counts[f"{reading.modality}|{slot}|{value}"] += UNIT
                if _alone(reading, fact, slot):
                    _count_frames(counts, reading, fact, slot, value)
        for pool in (denied_by_name(reading, is_study(fact.finding)), unsaid_near(reading, fact)):
            for after in pool:
                _count_frames(counts, reading, fact, "finding", after)
    return counts
