"""Plug-ins by file name: a file in a family's folder is its registry entry, and nothing else is edited.

`names("perturbations")` lists the modules of `mht/perturbations/`; `load("perturbations", "laterality")`
imports one. A module whose name starts with an underscore is part of the family, not a plug-in.
"""

from __future__ import annotations

import difflib
import importlib
import pkgutil
from functools import cache
from types import ModuleType

from mht.errors import ConfigError

FAMILIES = (
    "sources",
    "engines",
    "captioners",
    "perturbations",
    "pairing.forms",
    "pairing.writers",
    "checks",
    "verifiers",
    "training.sources",
    "evaluation.benchmarks",
    "evaluation.metrics",
    "evaluation.judges",
)


@cache
def names(family: str) -> tuple[str, ...]:
    """The plug-ins of a family, sorted. Nothing but the family's package is imported."""
    package = importlib.import_module(f"mht.{family}")
    return tuple(sorted(m.name for m in pkgutil.iter_modules(package.__path__) if m.name[0] != "_"))


def load(family: str, name: str) -> ModuleType:
    """The plug-in's module. Raises ConfigError with the nearest name for one that is not there."""
    if name not in names(family):
        near = difflib.get_close_matches(name, names(family), n=1, cutoff=0.0)
        raise ConfigError(
            f"no {family} plug-in is called {name!r}; did you mean {near[0]!r}? "
            f"There are: {', '.join(names(family))}."
        )
    return importlib.import_module(f"mht.{family}.{name}")
