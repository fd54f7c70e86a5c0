"""What pairing needs beside the reading, and what it gives back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from mht.pairing.balance import PremiseTable
from mht.pairing.params import PairingParams
from mht.records import Edit, Pair, Reading

Perturb = Callable[[Reading, int, random.Random, Any], Edit | None]
Judge = Callable[[Pair, Pair, Reading], str | None]


@dataclass(frozen=True, slots=True)
class PairingContext:
    """The run's seed, settings, plug-ins and corpus table: the same for every row.

    `perturbations` holds (name, perturb, its Params); `checks` holds (name, judge). `table` may be empty while the
    corpus is being counted.
    """

    seed: int
    params: PairingParams
    perturbations: tuple[tuple[str, Perturb, Any], ...]
    checks: tuple[tuple[str, Judge], ...] = ()
    table: PremiseTable = field(default_factory=PremiseTable)


@dataclass(frozen=True, slots=True)
class PairsMade:
    """The pairs of one image, twins side by side, with the reasons of what was dropped on the way."""

    pairs: tuple[Pair, ...]
    dropped: Counter[str]
    backed_off: int
