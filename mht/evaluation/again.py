"""A metric measured again on the predictions of finished runs, all of them by the same settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.config_metrics import METRICS
from mht.errors import ConfigError
from mht.evaluation.run import EvaluationRun
from mht.predictions import Measured, Prediction


@dataclass(frozen=True, slots=True)
class Again:
    """A metric with the settings of the first run; `unlike` are the settings that another run has otherwise."""

    metric: str
    params: BaseModel
    unlike: tuple[str, ...] = ()

    def measure(self, rows: Sequence[Prediction]) -> dict[str, Measured]:
        """The figures by name; those of groups of rows are none here."""
        module: Any = catalog.load(METRICS, self.metric)
        return {one.name: one for one in module.measure(rows, self.params) if "=" not in one.name}


def again(runs: Sequence[EvaluationRun], metric: str) -> Again:
    """Raises ConfigError where a run's settings are none for this version."""
    first, *others = (_params(run, metric) for run in runs)
    mine = first.model_dump()
    unlike = {name for other in others for name, value in other.model_dump().items() if mine[name] != value}
    return Again(metric, first, tuple(sorted(unlike)))


def _params(run: EvaluationRun, metric: str) -> BaseModel:
    try:
        made: BaseModel = catalog.load(METRICS, metric).Params(**settings_of(run, metric))
    except ValidationError as error:
        raise ConfigError(
            f"{metric}: run {run.name!r} was scored with settings that this version does not take: {error}"
        ) from None
    return made


def settings_of(run: EvaluationRun, metric: str) -> Mapping[str, object]:
    """The settings that a run's configuration gives a metric, under `metrics`; none where it names it alone."""
    given = run.config.get("metrics")
    own = given.get(metric) if isinstance(given, Mapping) else None
    return own if isinstance(own, Mapping) else {}
