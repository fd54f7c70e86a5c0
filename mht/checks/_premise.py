"""The topic of a premise about the kind of image."""

from __future__ import annotations

from mht.knowledge.slots import BELIEF
from mht.records import Pair


def topic(pair: Pair) -> str | None:
    """The topic of a premise about the kind of image, None for any other."""
    return pair.slot.removeprefix(BELIEF) if pair.slot.startswith(BELIEF) else None
