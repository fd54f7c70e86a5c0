"""What can be said of a finding beside its name: side, site, severity and other words."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mht.knowledge.lexicon import STUDY_SCALES, lexicon

SIDES = {"left": "left", "right": "right", "both": "bilateral"}

_LEFT_BUDGET, _RIGHT_BUDGET = 5, 6


@dataclass(frozen=True, slots=True)
class Modifiers:
    """What a clause says of one finding; None where it does not."""

    side: str | None = None
    site: str | None = None
    severity: str | None = None
    attributes: tuple[str, ...] = ()


def described(got: Modifiers, term: str) -> Modifiers:
    """The modifiers with one more attribute; the nearest to the noun stands, one a scale."""
    known = lexicon().attributes
    scale = known[term].scale
    if scale in STUDY_SCALES or any(known[other].scale == scale for other in got.attributes):
        return got
    return replace(got, attributes=(*got.attributes, term))
