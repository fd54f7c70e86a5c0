"""The corpus table of true premises: how often each is true, as the questions will word it and in their context.

A caption is counted as situations, few and small; they are worded when the table is first asked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
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
from mht.knowledge.truth import DENIED, UNSAID, denied_by_name, denied_outright, unsaid_near
from mht.pairing.frames import ASK, LIST, SHOW, UNIT, Frame, Terms, framed, terms
from mht.records import Fact, Reading

ENOUGH_TO_LIST = 3
"""Denied findings that a reading must have for a choice among several: two beside the edited one."""
_FORMAT = 4
ANYHOW = "*|"  # before the value of a finding, however it is worded


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
        """The same bytes for the same counts, in whatever order they were added."""
        return _dumped({_line(situation): n for situation, n in self.situations.items()})

    @staticmethod
    def from_bytes(data: bytes) -> PremiseTable:
        """Raises IntegrityError for bytes that are not a table of this format."""
        lines = _loaded(data)
        try:
            return PremiseTable({_situation(line): n for line, n in lines.items()})
        except (ValueError, TypeError, AttributeError) as error:
            raise IntegrityError(
                f"the premise table cannot be read: {error}. Count the corpus again."
            ) from error


class PremiseSum:
    """Tables added up as they lie in their files: no situation is made of a line, nor a line of a situation."""

    def __init__(self) -> None:
        self._lines: dict[str, int] = {}

    def add(self, data: bytes) -> None:
        """Raises IntegrityError for bytes that are not a table of this format."""
        own = self._lines
        for line, n in _loaded(data).items():
            own[line] = own.get(line, 0) + n

    def to_bytes(self) -> bytes:
        """What `PremiseTable.to_bytes` of the whole would give."""
        return _dumped(self._lines)


def _line(situation: Situation) -> str:
    modality, slot, value, own, listed = situation
    words = [modality, slot, value, "listed" if listed else ""]
    if own is not None:
        words += (
            own.finding,
            own.side or "",
            own.site or "",
            own.severity or "",
            "sized" if own.size else "",
        )
    return "\t".join(words)


def _situation(line: str) -> Situation:
    modality, slot, value, listed, *words = line.split("\t")
    own = None
    if words:
        finding, side, site, severity, size = words
        own = Terms(finding, side or None, site or None, severity or None, size == "sized")
    return Situation(modality, slot, value, own, listed == "listed")


def _dumped(lines: Mapping[str, int]) -> bytes:
    body = {"format": _FORMAT, "situations": dict(sorted(lines.items()))}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _loaded(data: bytes) -> dict[str, int]:
    try:
        body = json.loads(data.decode("utf-8"))
        found, lines = body["format"], body.get("situations", {})
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IntegrityError(f"the premise table cannot be read: {error}. Count the corpus again.") from error
    if found != _FORMAT:
        raise IntegrityError(
            f"the premise table has format {found!r}, this version reads {_FORMAT}. Count the corpus again."
        )
    if not isinstance(lines, dict):
        raise IntegrityError(
            "the premise table cannot be read: it holds no situations. Count the corpus again."
        )
    return lines


@lru_cache(maxsize=1 << 17)
def key_of(modality: str, kind: str, frame: str, slot: str, topic: str, value: str) -> str:
    return f"{modality}|{kind}|{frame}|{slot}|{topic}|{value}"


def modality_of(reading: Reading, fact: Fact) -> str:
    return "" if is_study(fact.finding) else reading.modality or ""


def topic_of(fact: Fact, slot: str) -> str:
    """What the question holds beside the value: the finding, but for a belief, which names none."""
    return "" if slot.startswith(BELIEF) else fact.finding


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
        (key_of(modality, kind, _shown(frame, terms), slot, topic, value), frame.share)
        for kind in (SHOW, ASK)
        for frame in framed(kind, slot, value if slot == SITE else "", terms)
    )


@lru_cache(maxsize=1 << 17)
def _swapped(
    modality: str, status: str, after: str, terms: Terms, listed: bool
) -> tuple[tuple[str, int], ...]:
    """The same for a finding in whose place another one could be put, itself denied or unsaid."""
    return tuple(
        (key_of(modality, kind, _shown(frame, terms), status, terms.finding, after), frame.share)
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
        anyhow = (f"{modality}|{ANYHOW}{slot}|{own.finding}|{value}", UNIT)
        return (anyhow, *_swapped(modality, slot, value, own, listed))
    plain = (f"{modality}|{slot}|{value}", UNIT)
    if own is None:
        return (plain,)
    topic = "" if slot.startswith(BELIEF) else own.finding
    anyhow = (f"{modality}|{ANYHOW}{slot}|{topic}|{value}", UNIT)
    return (plain, anyhow, *_worded(modality, slot, value, own))


def _present(reading: Reading, fact: Fact) -> Iterator[Situation]:
    modality, own = modality_of(reading, fact), terms(fact)
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
            situation = Situation(modality_of(reading, fact), PRESENCE, ABSENT, terms(fact), False)
            counts[situation] = counts.get(situation, 0) + 1
