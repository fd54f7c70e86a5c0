"""What a run has been through: every step's figures, and what validation found. Kept in each checkpoint.

A number goes into JSON and comes back as it was, so a resumed run's list of losses is the undisturbed run's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pyarrow as pa

_WHOLE = ("epoch", "images", "exchanges", "learnt", "tokens")
_FRACTIONS = ("loss", "learning_rate", "norm")
_OF_PAIRS = ("margin", "preferred")
"""None in a step without a wrong answer."""
COLUMNS = (*_WHOLE, *_FRACTIONS, *_OF_PAIRS)
Entry: TypeAlias = Mapping[str, Any]
"""{"step": steps taken by then, "rows": a digest of the rows that it was measured on, name of a figure: value …}."""


@dataclass(slots=True)
class History:
    """Steps by column, each as long as there are steps, the first being step 0.

    `validations` are Entries; those stored by earlier versions have no rows. `seconds` is the time of all steps' work,
    in all of the run's processes so far, start-up left out.
    """

    columns: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    validations: list[Entry] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def steps(self) -> int:
        return len(self.columns["loss"])

    def add(self, figures: Mapping[str, float | None]) -> None:
        """The next step's figures, one for each of COLUMNS."""
        for name in COLUMNS:
            self.columns[name].append(figures[name])

    def validated(self, found: Mapping[str, float], rows: str) -> None:
        """What validation found of the model as it is now, on the rows of this digest."""
        self.validations.append({"step": self.steps, "rows": rows, **found})

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
        columns = plain["columns"]
        # Earlier versions stored nothing of pairs.
        nothing = dict.fromkeys(_OF_PAIRS, [None] * len(columns["loss"]))
        return cls(
            {name: list((nothing | columns)[name]) for name in COLUMNS},
            list(plain["validations"]),
            plain["seconds"],
        )

    def table(self) -> pa.Table:
        """One row a step: step, then COLUMNS."""
        kinds = {name: pa.int64() for name in _WHOLE} | {
            name: pa.float64() for name in (*_FRACTIONS, *_OF_PAIRS)
        }
        arrays = {name: pa.array(self.columns[name], kinds[name]) for name in COLUMNS}
        return pa.table({"step": pa.array(range(self.steps), pa.int64())} | arrays)


def figures_of(entry: Entry) -> dict[str, float]:
    """What was measured, by name."""
    return {name: value for name, value in entry.items() if name not in ("step", "rows")}


def held_out(validations: Sequence[Entry], steps: int) -> list[tuple[str, float | None, float]]:
    """(figure, before training, after these steps); nothing where validation has not seen the model as it is then.

    Before is None where it was not measured before the first step, or on other rows. Entries that both name no rows,
    as earlier versions stored them, count as of the same.
    """
    if not validations or validations[-1]["step"] != steps:
        return []
    first, last = validations[0], validations[-1]
    same = first["step"] == 0 and first.get("rows") == last.get("rows")
    before = figures_of(first) if same else {}
    return [(name, before.get(name), value) for name, value in figures_of(last).items()]
