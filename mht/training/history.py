"""What a run has been through: every step's figures, and what validation found. Kept in each checkpoint.

A number goes into JSON and comes back as it was, so a resumed run's list of losses is the undisturbed run's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

_WHOLE = ("epoch", "images", "exchanges", "learnt", "tokens")
_FRACTIONS = ("loss", "learning_rate", "norm")
COLUMNS = (*_WHOLE, *_FRACTIONS)


@dataclass(slots=True)
class History:
    """Steps by column, each as long as there are steps, the first being step 0.

    `validations` are {"step": steps taken by then, name: value …}. `seconds` is the time of all steps' work, in all of
    the run's processes so far, start-up left out.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    validations: list[dict[str, float]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        return len(self.columns["loss"])

    def add(self, figures: Mapping[str, float]) -> None:
        """The next step's figures, one for each of COLUMNS."""
        for name in COLUMNS:
            self.columns[name].append(figures[name])

    def validated(self, found: Mapping[str, float]) -> None:
        self.validations.append({"step": self.steps, **found})

    @property
    def is_validated(self) -> bool:
        """Whether validation has seen the model as it is now."""
        return bool(self.validations) and self.validations[-1]["step"] == self.steps

    def total(self, column: str) -> int:
        return int(sum(self.columns[column]))

    def plain(self) -> dict[str, Any]:
        return {"columns": self.columns, "validations": self.validations, "seconds": self.seconds}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> History:
        return cls(
            {name: list(plain["columns"][name]) for name in COLUMNS},
            list(plain["validations"]),
            plain["seconds"],
        )

    def table(self) -> pa.Table:
        """One row a step: step, then COLUMNS."""
        kinds = {name: pa.int64() for name in _WHOLE} | {name: pa.float64() for name in _FRACTIONS}
        arrays = {name: pa.array(self.columns[name], kinds[name]) for name in COLUMNS}
        return pa.table({"step": pa.array(range(self.steps), pa.int64())} | arrays)
