"""What the facts of a reading make true, false or open: the ground on which a premise is judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Concatenate, ParamSpec, TypeVar

from mht.knowledge.lexicon import STUDY, lexicon, overlaps, related, rows, seen_at
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import CLEARLY_OTHER, NUMBER, SEVERITY, SIDE, SITE, SIZE, grid, value_of
from mht.records import Fact, Reading

Rest = ParamSpec("Rest")
Result = TypeVar("Result")


def per_reading(
    function: Callable[Concatenate[Reading, Rest], Result],
) -> Callable[Concatenate[Reading, Rest], Result]:
    """Keep what was worked out for the reading in hand. Hashing a whole reading costs more than the answer does."""
    held: dict[tuple[object, ...], Result] = {}
    of: list[Reading] = []

    def kept(reading: Reading, /, *rest: Rest.args, **named: Rest.kwargs) -> Result:
        if not of or of[0] is not reading:
            of[:] = [reading]
            held.clear()
        key = (*rest, *named.values())
        if key not in held:
            held[key] = function(reading, *rest, **named)
        return held[key]

    kept.__doc__ = function.__doc__
    return kept


TRUE, POSSIBLE, DENIED, UNSAID = "true", "possible", "denied", "unsaid"


@dataclass(frozen=True, slots=True)
class World:
    """The closures of one reading: what is entailed, what may also be so, and what is denied outright."""

    entailed: frozenset[str]
    possible: frozenset[str]
    denied: frozenset[str]

    def status(self, finding: str) -> str:
        """Whether the image shows the finding: true, possible (open), denied or unsaid."""
        if finding in self.entailed:
            return TRUE
        if finding in self.possible:
            return POSSIBLE
        return DENIED if finding in self.denied else UNSAID


def _whole(fact: Fact) -> bool:
    """Whether a denial is of the finding as such, not of one side, grade or place of it."""
    return (
        fact.side in (None, "bilateral")
        and fact.severity is None
        and fact.site is None
        and not fact.attributes
        and fact.size_mm is None
    )


@lru_cache(maxsize=1)
def _kin_pairs() -> dict[str, frozenset[str]]:
    near: dict[str, set[str]] = {}
    for one, other, _ in rows("kin"):
        near.setdefault(one, set()).add(other)
        near.setdefault(other, set()).add(one)
    return {term: frozenset(others) for term, others in near.items()}


@lru_cache(maxsize=1 << 12)
def kin_of(finding: str) -> frozenset[str]:
    """What another reader may call the finding, or what it is a kind of: a cystic lesion is a mass to some."""
    return frozenset().union(*(_kin_pairs().get(term, frozenset()) for term in lexicon().ancestors[finding]))


@per_reading
def world(reading: Reading) -> World:
    """The closures of a reading. A denied finding that is also stated somewhere is not denied."""
    lex = lexicon()
    entailed: set[str] = set()
    possible: set[str] = set()
    denied: set[str] = set()
    kin: set[str] = set()
    for fact in reading.facts:
        if fact.presence == PRESENT:
            entailed |= lex.ancestors[fact.finding]
            possible |= lex.descendants[fact.finding]
            kin |= kin_of(fact.finding)
        elif fact.presence == ABSENT:
            if _whole(fact):
                denied |= lex.descendants[fact.finding]
            else:
                possible |= lex.ancestors[fact.finding] | lex.descendants[fact.finding]
        else:
            possible |= lex.ancestors[fact.finding] | lex.descendants[fact.finding]
    stated = {fact.finding for fact in reading.facts if fact.presence == PRESENT}
    for finding in stated:
        denied |= lex.excluded[finding] - kin
    open_ = possible | (kin - denied)
    return World(frozenset(entailed), frozenset(open_), frozenset(denied - entailed - possible))


@per_reading
def denied_by_name(reading: Reading, study: bool = False) -> tuple[str, ...]:
    """The findings that the text itself denies, or that a stated opposite excludes; kinds of them are left out.

    With `study`, the kinds of image that it is not.
    """
    ground, lex = world(reading), lexicon()
    named = {fact.finding for fact in reading.facts}
    for fact in reading.facts:
        if fact.presence == PRESENT:
            named.update(lex.findings[fact.finding].excludes)
            named.update(lex.opposites[fact.finding])
    of_kind = (t for t in named if (lex.findings[t].kind == STUDY) is study)
    return tuple(sorted(t for t in of_kind if ground.status(t) == DENIED))


def against(reading: Reading, finding: str) -> Fact | None:
    """The fact that denies the finding: by name, as a kind of what is denied, or by excluding it."""
    lex = lexicon()
    for fact in reading.facts:
        if fact.presence == ABSENT and _whole(fact) and finding in lex.descendants[fact.finding]:
            return fact
    opposed = (f for f in reading.facts if f.presence == PRESENT and finding in lex.excluded[f.finding])
    return next(opposed, None)


@lru_cache(maxsize=1 << 14)
def _near(finding: str, modality: str | None, site: str | None) -> tuple[str, ...]:
    """Both ways or not at all: a false premise that could not itself be the true one would give its state away."""
    if not _shown(finding, modality, site):
        return ()
    near = (*lexicon().neighbours[finding], *lexicon().strangers[finding])
    return tuple(
        t for t in near if _shown(t, modality, site) and t not in kin_of(finding) and finding not in kin_of(t)
    )


def _shown(finding: str, modality: str | None, site: str | None) -> bool:
    """Whether an image of the modality can show the finding at the site."""
    of_modality = modality is None or modality in lexicon().findings[finding].modalities
    return of_modality and (site is None or seen_at(finding, site))


def unsaid_near(reading: Reading, fact: Fact) -> tuple[str, ...]:
    """Neighbours and strangers of a finding that the text does not mention, those the modality shows at that site."""
    return _unsaid_of(reading, fact.finding, fact.site)


@per_reading
def _unsaid_of(reading: Reading, finding: str, site: str | None) -> tuple[str, ...]:
    ground = world(reading)
    return tuple(t for t in _near(finding, reading.modality, site) if ground.status(t) == UNSAID)


def mirrored_unsaid(reading: Reading, fact: Fact, after: str) -> tuple[str, ...]:
    """What would be near and unsaid if `after` stood in the place of the fact's finding."""
    before = fact.finding
    hidden = lexicon().ancestors[after] | lexicon().descendants[after] | lexicon().excluded[after]
    near = _unsaid_of(reading, after, fact.site)
    return tuple(t for t in near if t not in hidden and t != before)


def denied_outright(reading: Reading, fact: int) -> bool:
    """Whether a fact denies its finding as such, and nothing else in the text states it or leaves it open."""
    denial = reading.facts[fact]
    return denial.presence == ABSENT and _whole(denial) and world(reading).status(denial.finding) == DENIED


def _same_side(claimed: str | None, stated: str | None) -> bool:
    return claimed is None or stated is None or stated == "bilateral" or claimed == stated


def _same_site(claimed: str | None, stated: str | None) -> bool:
    return claimed is None or stated is None or overlaps(claimed, stated)


def _same_grade(claimed: str | None, stated: str | None) -> bool:
    if claimed is None or stated is None:
        return True
    one, other = lexicon().severities[claimed], lexicon().severities[stated]
    return one.scale != other.scale or one.rank == other.rank


def _same_size(claimed: float | None, stated: float | None) -> bool:
    if claimed is None or stated is None:
        return True
    return max(claimed, stated) < CLEARLY_OTHER * min(claimed, stated)


def _same_attribute(scale: str, claimed: str, stated: str | None) -> bool:
    """Whether a word of a scale may be said where another one stands: the same, a near one, or none."""
    if stated is None or claimed == stated:
        return True
    known = lexicon().attributes
    return abs(known[claimed].rank - known[stated].rank) < 2 if scale != NUMBER else False


def may_hold(claim: Fact, fact: Fact, reading: Reading | None = None) -> bool:
    """Whether a stated or open fact leaves room for the claim: same finding or kin, no word against it."""
    return (
        fact.presence != ABSENT and related(claim.finding, fact.finding) and not apart(claim, fact, reading)
    )


def apart(claim: Fact, fact: Fact, reading: Reading | None = None) -> tuple[str, ...]:
    """The slots in which a fact has something else than a claim about the same finding."""
    same = (
        (SIDE, _same_side(claim.side, fact.side)),
        (SITE, _same_site(claim.site, fact.site)),
        (SEVERITY, _same_grade(claim.severity, fact.severity)),
        (SIZE, _same_size(claim.size_mm, fact.size_mm)),
        *((scale, _fits_in(scale, term, fact, reading)) for scale, term in _terms_of(claim)),
    )
    return tuple(slot for slot, agrees in same if not agrees)


def _terms_of(claim: Fact) -> list[tuple[str, str]]:
    known = lexicon().attributes
    return [(known[term].scale, term) for term in claim.attributes]


def _fits_in(scale: str, term: str, fact: Fact, reading: Reading | None) -> bool:
    return _same_attribute(scale, term, value_of(fact, scale, reading))


def left_open(reading: Reading, fact: int, slot: str, value: str) -> bool:
    """Whether another fact leaves room for this one's finding with another value in the slot."""
    stated = reading.facts[fact]
    kin = [
        other
        for i, other in enumerate(reading.facts)
        if i != fact and other.presence != ABSENT and related(stated.finding, other.finding)
    ]
    return any(_may_be(slot, value, other, reading) for other in kin)


def _may_be(slot: str, value: str, other: Fact, reading: Reading) -> bool:
    same = {"side": _same_side, "site": _same_site, "severity": _same_grade}.get(slot)
    if same is not None:
        return same(value, getattr(other, slot))
    if slot == SIZE:
        return _same_size(float(value), other.size_mm)
    return _same_attribute(slot, value, value_of(other, slot, reading))


def holds(claim: Fact, reading: Reading) -> bool:
    """Whether some fact states the claim in full: every word of it, or more. A denial may be claimed as well."""
    if claim.presence == ABSENT:
        return _whole(claim) and world(reading).status(claim.finding) == DENIED
    return any(_states(fact, claim, reading) for fact in reading.facts)


def _states(fact: Fact, claim: Fact, reading: Reading) -> bool:
    return (
        fact.presence == PRESENT
        and claim.finding in lexicon().ancestors[fact.finding]
        and (claim.side is None or fact.side in (claim.side, "bilateral"))
        and (claim.site is None or fact.site is None or overlaps(claim.site, fact.site))
        and (claim.severity is None or claim.severity == fact.severity)
        and (
            claim.size_mm is None or (fact.size_mm is not None and grid(fact.size_mm) == grid(claim.size_mm))
        )
        and all(value_of(fact, scale, reading) == term for scale, term in _terms_of(claim))
    )


def possible(finding: str, reading: Reading) -> bool:
    """Whether the facts state, imply or leave open that the image shows the finding."""
    return world(reading).status(finding) in (TRUE, POSSIBLE)
