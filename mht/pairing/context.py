"""What pairing needs beside the reading, and what it gives back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any, NamedTuple

from mht.pairing.params import PairingParams
from mht.pairing.premises import PremiseTable
from mht.records import Edit, Pair, Reading, Subject

Perturb = Callable[[Reading, int, random.Random, Any], Edit | None]
Judge = Callable[[Pair, Pair, Reading], str | None]


class Perturbation(NamedTuple):
    """A plug-in with its settings; `about` says of which facts it is asked, `draws` how often of each."""

    name: str
    perturb: Perturb
    params: Any
    about: frozenset[Subject]
    draws: int


def perturbation(name: str, module: ModuleType, params: Any, draws_per_fact: int) -> Perturbation:
    """A plug-in's module with its settings; its own `draws` count where they are fewer."""
    draws = min(draws_per_fact, getattr(params, "draws", draws_per_fact))
    return Perturbation(name, module.perturb, params, module.ABOUT, draws)


@dataclass(frozen=True, slots=True)
class PairingContext:
    """The run's seed, settings, plug-ins and corpus table: the same for every row.

    `checks` holds (name, judge). `table` may be empty while the
    corpus is being counted.
    """

    seed: int
    params: PairingParams
    perturbations: tuple[Perturbation, ...]
    checks: tuple[tuple[str, Judge], ...] = ()
    table: PremiseTable = field(default_factory=PremiseTable)


@dataclass(frozen=True, slots=True)
class PairsMade:
    """The pairs of one image, twins side by side, with the reasons of what was dropped on the way."""

    pairs: tuple[Pair, ...]
    dropped: Counter[str]
    backed_off: int
