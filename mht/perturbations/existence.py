"""A finding that is not there: in the place of a true one stands what goes along with it or looks like it.

Two pools. Findings that the text denies in so many words are the better evidence, so they are drawn more often;
findings that it does not mention are drawn from the neighbours of the true one: absence from a caption is weaker.
"""

from __future__ import annotations

import random
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, Field

from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import denied_by_name, unsaid_near
from mht.records import Edit, Reading


class Params(BaseModel):
    """`unsaid_share`: how often a finding is drawn that the text neither states nor denies."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    unsaid_share: float = Field(default=0.3, ge=0.0, le=1.0)


def perturb(reading: Reading, fact: int, rng: random.Random, params: Params) -> Edit | None:
    """Another finding in the fact's slot: denied or unsaid, never stated, implied or left open by the text.

    None where the pool that was drawn is empty. `backward` is the chance in the mirrored reading, where the two
    findings have changed places: what is denied there is as much as here; what is unsaid are the other's neighbours.
    """
    stated = reading.facts[fact]
    if stated.presence != PRESENT:
        return None
    unsaid = rng.random() < params.unsaid_share
    pool = unsaid_near(reading, stated) if unsaid else denied_by_name(reading, is_study(stated.finding))
    draw = rng.random()
    if not pool:
        return None
    after = pool[int(draw * len(pool))]
    share = params.unsaid_share if unsaid else 1 - params.unsaid_share
    back = len(pool) if unsaid else max(1, len(pool) - _opposed(stated.finding) + _opposed(after))
    return Edit("existence", fact, "finding", stated.finding, after, share / len(pool), share / back)


@lru_cache(maxsize=4096)
def _opposed(finding: str) -> int:
    """How many findings it excludes by being there."""
    return len(lexicon().findings[finding].excludes) + len(lexicon().opposites[finding])
