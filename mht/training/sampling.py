"""How often a pair is learnt in an epoch: weights by its state, its type and its risk.

A pair of weight w (the product of those it is given) is learnt floor(w) times in each epoch, and once more with
probability w - floor(w), by a draw of its own for that epoch. Weight 0 leaves it out.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mht import catalog
from mht.knowledge.risk import LEVELS
from mht.records import State
from mht.seeds import row_fraction

Weight = Annotated[float, Field(ge=0, le=100)]
_KNOWN: dict[str, Callable[[], tuple[str, ...]]] = {
    "state": lambda: tuple(State),
    "type": lambda: catalog.names("perturbations"),
    "risk": lambda: LEVELS,
}


class Weights(BaseModel):
    """Weights by name; a name that is not given has weight 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    state: dict[str, Weight] = Field(default_factory=dict)
    type: dict[str, Weight] = Field(default_factory=dict)
    risk: dict[str, Weight] = Field(default_factory=dict)

    @field_validator("state", "type", "risk")
    @classmethod
    def _known_names(cls, given: dict[str, float], info: Any) -> dict[str, float]:
        known = _KNOWN[info.field_name]()
        for name in given:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1, cutoff=0.0)[0]
                raise ValueError(
                    f"no {info.field_name} is called {name!r}; did you mean {str(near)!r}? "
                    f"There are: {', '.join(known)}"
                )
        return given

    def of(self, state: str, type_: str, risk: str) -> float:
        """The weight of a pair."""
        return self.state.get(state, 1.0) * self.type.get(type_, 1.0) * self.risk.get(risk, 1.0)


class SamplingParams(BaseModel):
    """Weights of pairs. `twins_together` gives both twins one draw, so that neither state is drawn more often."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    weights: Weights = Weights()
    twins_together: bool = True
    seed: int = Field(default=0, ge=0)


def expected(weight: float) -> float:
    """The probability that a pair of this weight is learnt in an epoch at all."""
    return min(weight, 1.0)


def times(pair: Mapping[str, Any], params: SamplingParams, epoch: int | None) -> int:
    """How often the pair (a row of the dataset) is learnt in the epoch; the same on any machine.

    Without an epoch: how often at most.
    """
    weight = params.weights.of(pair["state"], pair["type"], pair["risk"])
    surely = math.floor(weight)
    if epoch is None:
        return math.ceil(weight)
    if weight == surely:
        return surely
    name = f"{pair['image_id']}/{pair['twin_id']}" if params.twins_together else pair["pair_id"]
    return surely + (row_fraction(params.seed, f"sampling/{epoch}", name) < weight - surely)
