"""Rows measured by every metric that can be, or by those that are named."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from mht import catalog
from mht.config_evaluate import EvaluateConfig
from mht.config_metrics import METRICS
from mht.errors import ConfigError
from mht.predictions import Measured, Prediction, Unscored

_PROBE = (
    Prediction(
        "probe", "1", "1", "Is there a fracture?", "Yes, there is a fracture.", "No, there is no fracture."
    ),
)
"""A row that no metric can pass over, so that what one lacks is told before anything is asked."""


@dataclass(frozen=True, slots=True)
class Metrics:
    """The metrics of a run by name, with their settings; `left_out` says why others are not among them."""

    chosen: Mapping[str, Any]
    left_out: tuple[str, ...] = ()

    def measure(self, rows: Sequence[Prediction]) -> list[Measured]:
        """Every figure that at least one row was asked for."""
        measured = [
            one
            for name, params in self.chosen.items()
            for one in catalog.load(METRICS, name).measure(rows, params)
        ]
        return [one for one in measured if _is_asked(one)]


def choose(config: EvaluateConfig) -> Metrics:
    """The metrics of a configuration. Raises ConfigError where one that is named lacks its library."""
    named = config.metrics.params()
    for name, params in named.items():
        catalog.load(METRICS, name).measure(_PROBE, params)
    if config.metrics.only is not None:
        return Metrics(named)
    found: dict[str, Any] = {}
    left_out = []
    for name in catalog.names(METRICS):
        if name in config.metrics.left_out:
            continue
        module = catalog.load(METRICS, name)
        try:
            found[name] = named.get(name) or module.Params()
            module.measure(_PROBE, found[name])
        except ValidationError:
            left_out.append(f"{name}: it needs settings; give them under metrics.{name}")
        except ConfigError:
            del found[name]
            left_out.append(f"{name}: what it needs is not installed here; metrics.{name}={{}} tells what")
    return Metrics(found, tuple(left_out))


def _is_asked(measured: Measured) -> bool:
    """Whether there is something to tell: a row that the metric is about, and a likelihood where it reads those."""
    reasons = {unit.unscored for unit in measured.units if unit.parts is None}
    told = any(unit.parts is not None for unit in measured.units)
    return bool(measured.units) and (told or Unscored.NO_LIKELIHOOD not in reasons)
