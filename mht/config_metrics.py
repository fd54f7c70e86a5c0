"""The metrics of an evaluation as a configuration names them, and what can be wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from mht import catalog
from mht.config_mistakes import place_of
from mht.errors import ConfigError

METRICS = "evaluation.metrics"


class MetricsConfig(BaseModel):
    """The keys beside `only` are metrics: settings that one is measured with beside the default set, or null to leave
    it out. The default set is every metric that needs no settings and whose library is here.
    """

    model_config = ConfigDict(frozen=True, extra="allow")

    only: tuple[str, ...] | None = Field(default=None, min_length=1)
    """Measure these and no others."""

    @field_validator("only", mode="before")
    @classmethod
    def _one_alone(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _settings_or_null(self) -> MetricsConfig:
        for name, given in (self.model_extra or {}).items():
            if given is not None and not isinstance(given, Mapping):
                raise ValueError(
                    f"{name} takes its settings, or null to leave it out, not {given!r}. "
                    f"Write {name}={{}} to measure it, only=[{name}] to measure no other"
                )
            if self.only is not None and given is None and name in self.only:
                raise ValueError(f"{name} is named in only and left out by null; take one of them away")
            if self.only is not None and given is not None and name not in self.only:
                raise ValueError(f"{name} has settings and is not in only; add it there or take them away")
        return self

    @property
    def settings(self) -> dict[str, dict[str, Any]]:
        """Of the metrics that are asked for by name, what is set."""
        given = {name: one for name, one in (self.model_extra or {}).items() if one is not None}
        return {name: {} for name in self.only or ()} | given

    @property
    def left_out(self) -> frozenset[str]:
        """The metrics that are set to null."""
        return frozenset(name for name, one in (self.model_extra or {}).items() if one is None)

    def params(self) -> dict[str, BaseModel]:
        """The validated Params of each metric that is asked for by name."""
        return {name: catalog.load(METRICS, name).Params(**given) for name, given in self.settings.items()}

    def resolved(self) -> dict[str, Any]:
        """Every key with its value; plain JSON types."""
        only = {} if self.only is None else {"only": list(self.only)}
        set_to = {name: params.model_dump(mode="json") for name, params in self.params().items()}
        return only | set_to | dict.fromkeys(self.left_out)


def unknown_metrics(metrics: MetricsConfig, where: Mapping[str, str]) -> Iterator[str]:
    """Names, to be measured alone or to be left out, that no metric has."""
    named = [("metrics.only", name) for name in metrics.only or ()]
    named += [(f"metrics.{name}", name) for name in sorted(metrics.left_out)]
    for key, name in named:
        try:
            catalog.load(METRICS, name)
        except ConfigError as error:
            yield f"{place_of(where, key)}{key}: {error}"
