"""The judges of an evaluation as a configuration names them, and what can be wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, field_validator

from mht import catalog
from mht.config import EngineConfig, PluginConfig
from mht.config_mistakes import place_of

JUDGES = "evaluation.judges"


class JudgeConfig(PluginConfig):
    """A judge by name; the keys beside `kind`, `model` and `probes` are its own `Params`.

    `model` is who is asked, by a judge that asks: an engine (`openai`, any compatible endpoint, if it is not said).
    """

    model: EngineConfig | None = None
    probes: bool = True
    """Judge twenty replies again with an instruction to the judge planted in each, and tell how many it follows."""

    @field_validator("model", mode="before")
    @classmethod
    def _an_endpoint_by_default(cls, given: object) -> object:
        return {"kind": "openai", **given} if isinstance(given, Mapping) else given

    def params(self) -> BaseModel:
        """The validated Params of the judge."""
        made: BaseModel = catalog.load(JUDGES, self.kind).Params(**(self.model_extra or {}))
        return made

    def called(self, name: str) -> str:
        """What the judge is called where it is told of: its name in the configuration, and its model's."""
        if self.model is None:
            return name
        return f"{name} ({str((self.model.model_extra or {})['model']).rstrip('/').rpartition('/')[2]})"

    def resolved(self) -> dict[str, Any]:
        """Every key with its value; plain JSON types."""
        plain = self.model_dump(mode="json") | self.params().model_dump(mode="json")
        if self.model is not None:
            plain["model"] |= self.model.params().model_dump(mode="json")
        return plain

    @property
    def asks(self) -> bool:
        """Whether it asks a model."""
        return hasattr(catalog.load(JUDGES, self.kind), "ask")


def without_their_model(judges: Mapping[str, JudgeConfig], where: Mapping[str, str]) -> Iterator[str]:
    """Judges that ask a model and name none, or the other way round."""
    for name, judge in judges.items():
        if judge.kind not in catalog.names(JUDGES) or judge.asks == (judge.model is not None):
            continue
        key = f"judges.{name}"
        told = (
            f"asks a model. Name it: {key}.model.model=…"
            if judge.asks
            else f"asks no model. Leave {key}.model out."
        )
        yield f"{place_of(where, key)}{key}: {judge.kind} {told}"
