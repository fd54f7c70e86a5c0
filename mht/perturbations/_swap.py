"""Another finding in a fact's slot: the pools it is drawn from, shared by the kinds that make such an edit.

Findings that the text denies in so many words are the better evidence; findings that it does not mention are drawn
from the neighbours of the true one (what goes along with it, what looks like it) and, fewer, from strangers that the
same modality shows: absence from a caption is weaker.
"""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.lexicon import DEVICE, DIAGNOSIS, NORMAL, STUDY, lexicon, seen_at
from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import denied_by_name, kin_of, mirrored_unsaid, per_reading, unsaid_near
from mht.records import Edit, Reading

EXISTENCE, LEAP, NORMALITY, DEVICES, MODALITY = (
    "existence", "diagnosis_leap", "normality", "device", "modality",
)  # fmt: skip


class SwapParams(BaseModel):
    """`unsaid_share`: how often a finding is drawn that the text neither states nor denies, where it denies any."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    unsaid_share: float = Field(default=0.35, ge=0.0, le=1.0)


@lru_cache(maxsize=1 << 16)
def type_of(before: str, after: str) -> str:
    """The kind of hallucination that it is to say `after` where `before` is true."""
    findings = lexicon().findings
    kind = findings[after].kind
    if kind == STUDY:
        return MODALITY
    if kind == NORMAL:
        return NORMALITY
    if kind == DEVICE:
        return DEVICES
    return LEAP if kind == DIAGNOSIS and findings[before].kind != DIAGNOSIS else EXISTENCE


@per_reading
def _denied(reading: Reading, finding: str, type_: str) -> tuple[str, ...]:
    return tuple(t for t in denied_by_name(reading, type_ == MODALITY) if type_of(finding, t) == type_)


@per_reading
def _unsaid(reading: Reading, fact: int, type_: str) -> tuple[str, ...]:
    """What the text does not mention; nothing where the finding is stated of an image or a place that hardly shows it:
    nobody would say it falsely there, so there is no way back.
    """
    stated = reading.facts[fact]
    modalities = lexicon().findings[stated.finding].modalities
    if reading.modality is not None and reading.modality not in modalities:
        return ()
    if stated.site is not None and not seen_at(stated.finding, stated.site):
        return ()
    return tuple(t for t in unsaid_near(reading, stated) if type_of(stated.finding, t) == type_)


@per_reading
def _mirrored(reading: Reading, fact: int, after: str, type_: str, unsaid: bool) -> tuple[int, int]:
    """How large the two pools are where the findings have changed places: (denied, unsaid)."""
    stated = reading.facts[fact]
    before, study = stated.finding, type_ == MODALITY
    denied = 0
    if not unsaid or denied_by_name(reading, study):
        gone = {after, *_opposed(before)}
        come = {*_opposed(after), *(() if unsaid else (before,))}
        names = ((set(denied_by_name(reading, study)) - gone) | come) - kin_of(after)
        denied = sum(type_of(after, t) == type_ for t in names if t != after)
    near = mirrored_unsaid(reading, stated, after)
    return denied, sum(type_of(after, t) == type_ for t in near) + (
        unsaid and type_of(after, before) == type_ and before not in near
    )


@lru_cache(maxsize=4096)
def _opposed(finding: str) -> tuple[str, ...]:
    """What it excludes by being there."""
    return (*lexicon().findings[finding].excludes, *lexicon().opposites[finding])


def _chance(unsaid: bool, denied_size: int, unsaid_size: int, share: float) -> float:
    """How likely one finding of a pool is drawn; a pool alone is always drawn from."""
    size, other = (unsaid_size, denied_size) if unsaid else (denied_size, unsaid_size)
    own = (share if unsaid else 1 - share) if other else 1.0
    return own / size if size else 0.0


def swap(reading: Reading, fact: int, rng: random.Random, params: SwapParams, type_: str) -> Edit | None:
    """Another finding of one type in the fact's slot: denied or unsaid, never stated, implied or left open.

    `backward` is the chance in the mirrored reading, where the two findings have changed places, by whichever type
    that edit is of.
    """
    stated = reading.facts[fact]
    if stated.presence != PRESENT:
        return None
    pools = (_denied(reading, stated.finding, type_), _unsaid(reading, fact, type_))
    if not pools[0] and not pools[1]:
        return None
    unsaid = not pools[0] or (bool(pools[1]) and rng.random() < params.unsaid_share)
    pool = pools[unsaid]
    after = pool[int(rng.random() * len(pool))]
    forward = _chance(unsaid, len(pools[0]), len(pools[1]), params.unsaid_share)
    back = _mirrored(reading, fact, after, type_of(after, stated.finding), unsaid)
    backward = _chance(unsaid, *back, params.unsaid_share)
    if not forward or not backward:
        return None
    strategy = _strategy(stated.finding, after, unsaid)
    return Edit(type_, fact, "finding", stated.finding, after, forward, backward, strategy)


def _strategy(before: str, after: str, unsaid: bool) -> str:
    if not unsaid:
        return "popular"
    return "adversarial" if after in lexicon().neighbours[before] else "random"
