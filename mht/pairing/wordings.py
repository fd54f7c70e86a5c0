"""Which half of the question templates a run uses: one to learn from, the other to be asked in words not yet seen."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal

from mht.pairing.answers import pick
from mht.pairing.phrases import Case

Wordings = Literal["all", "first", "second"]
_START = {"first": 0, "second": 1}


def half(templates: Sequence[str], wordings: str) -> Sequence[str]:
    """The templates of a half: every other one, so that both halves hold something of each list."""
    return templates if wordings == "all" else templates[_START[wordings] :: 2]


def ask(case: Case, rng: random.Random, templates: Sequence[str]) -> str:
    """One of the templates that the case may use; one call of the generator."""
    return pick(rng, half(templates, case.wordings))
