"""Has the image been asked this before, in other words? A check needs one pair, this needs those already kept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from mht.records import Pair

# What a question says whatever it asks about: not told apart by these.
_ANYHOW_TEXT = (
    "a an the this that these those of on in at to for with and or as by from it its is are was were be been do does "
    "did can could would you i me we there here what which where who how please tell say describe name see seen show "
    "shows shown showing find found notice note noted visible present look looks given image picture study scan film "
    "view slice actually call"
)
_WORD = re.compile(r"[^\W_]+(?:[-'.][^\W_]+)*")
_ANYHOW = frozenset(_WORD.findall(_ANYHOW_TEXT))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a twin asks: the words of its two questions, and what its two premises are about."""

    questions: frozenset[frozenset[str]]
    about: frozenset[frozenset[str]]
    form: str


def asked(pair: Pair, twin: Pair) -> Asked:
    """What a twin asks, whichever of its two pairs comes first."""
    return Asked(
        questions=frozenset(frozenset(_words(p.question)) for p in (pair, twin)),
        about=frozenset(frozenset(_words(p.premise or p.question)) - _ANYHOW for p in (pair, twin)),
        form=pair.form,
    )


def repeats(new: Asked, kept: Iterable[Asked], across_forms: bool) -> str | None:
    """Why a twin must not stand beside those kept of the same image; None where it may.

    `duplicate_pair` where a question has the same words as an earlier one, in whatever order and case.
    `near_duplicate_pair` where both premises are about the same as an earlier twin's, in the same form; with
    `across_forms` in whatever form.
    """
    for old in kept:
        if new.questions & old.questions:
            return "duplicate_pair"
        if new.about == old.about and (across_forms or new.form == old.form):
            return "near_duplicate_pair"
    return None


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())
