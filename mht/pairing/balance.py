"""Detailed balance: a false premise is accepted so that every wording is as often true as false.

A true premise `t` becomes a false one `h` with the flow p(t) q(h | t). Metropolis's rule accepts it with
min(1, p(h) q(t | h) / (p(t) q(h | t))). Here p(.) is counted as the question will word it: the modality, the terms
that it shows or asks for, and, where one finding takes another's place, with the other one denied or unsaid, for only
then can it be proposed at all. Rare wordings are judged without the modality, then by what is said and not how, and
last by plain frequencies.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.slots import FINDING
from mht.knowledge.truth import world
from mht.pairing.frames import UNIT, Frame
from mht.pairing.premises import ANYHOW, PremiseTable, key_of, modality_of, topic_of
from mht.records import Edit, Reading


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
        return ANYHOW + self.there.split("|", 3)[3], ANYHOW + self.back.split("|", 3)[3]


@dataclass(frozen=True, slots=True)
class Acceptance:
    """With what probability, and at which level that was decided.

    0 is the full context, 1 any modality, 2 any wording, 3 plain frequencies.
    """

    probability: float
    level: int


def flow(reading: Reading, edit: Edit, kind: str, frame: Frame) -> Flow:
    """The keys of an edit that a form of this kind words in this frame."""
    fact = reading.facts[edit.fact]
    modality, shown, slot = modality_of(reading, fact), frame.key(fact), edit.slot
    if slot == FINDING:
        status = world(reading).status(edit.after)
        return _flow(
            modality, kind, shown, (status, edit.before, edit.after), (status, edit.after, edit.before)
        )
    topic = topic_of(fact, slot)
    return _flow(modality, kind, shown, (slot, topic, edit.before), (slot, topic, edit.after))


@lru_cache(maxsize=1 << 16)
def _flow(
    modality: str, kind: str, shown: str, there: tuple[str, str, str], back: tuple[str, str, str]
) -> Flow:
    return Flow(key_of(modality, kind, shown, *there), key_of(modality, kind, shown, *back))


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
