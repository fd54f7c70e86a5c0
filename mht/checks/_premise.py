"""The words of a question that carry its premise."""

from __future__ import annotations

from mht.knowledge.slots import BELIEF
from mht.records import Pair

LISTING = "multiple_choice"


def premise(pair: Pair) -> str:
    """The question, or of a choice among several the option that tells the twins apart."""
    return pair.span if pair.form == LISTING else pair.question


def topic(pair: Pair) -> str | None:
    """The topic of a premise about the kind of image, None for any other."""
    return pair.slot.removeprefix(BELIEF) if pair.slot.startswith(BELIEF) else None
