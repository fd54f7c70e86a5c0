"""The findings that a text states as present, and the ground that they are held against."""

from __future__ import annotations

from functools import lru_cache

from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.risk import LEVELS
from mht.predictions import Prediction
from mht.records import Fact, Reading


@lru_cache(maxsize=1 << 12)
def read(text: str, modality: str | None = None) -> Reading:
    """A text's facts; read once, however many metrics ask."""
    return read_facts(text, modality)


def stated(reading: Reading) -> tuple[Fact, ...]:
    """What is stated as present, the kind of image left out."""
    return tuple(f for f in reading.facts if f.presence == PRESENT and not is_study(f.finding))


def ground(row: Prediction) -> Reading:
    """What is known of the image: its caption, where there is one, and the reference answer."""
    return read(" ".join(filter(None, (row.caption, row.truth))), row.modality)


def gravest(reading: Reading) -> str:
    """The gravest level of risk among the findings that are stated as present; `none` where there is none."""
    levels = (lexicon().findings[fact.finding].risk for fact in stated(reading))
    return max(levels, key=LEVELS.index, default=LEVELS[0])
