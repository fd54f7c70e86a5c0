"""Hallucination rate: the share of replies that take a false premise for true or a true one for false, and by group.

`hallucination_rate` is over all rows with a state; `hallucination_rate.type=laterality` and its like over the rows of
one type, modality, site or risk. What a reply makes of its premise is read by `_stance`. Lower is better; a difference
between groups is one of questions, too. Source: the breakdown by hallucination type of MedHallTune (arXiv 2502.20780)
and Med-HallMark (arXiv 2406.10185).
Undecided and failed replies are unscored; no row with a state: no value, n = 0, and no group.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import is_right
from mht.predictions import Measured, Prediction, Unscored, share


class Params(BaseModel):
    """`by`: the columns whose values are groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: tuple[Literal["type", "modality", "site", "risk", "form", "state"], ...] = (
        "type", "modality", "site", "risk",
    )  # fmt: skip


def asks(row: Prediction) -> bool:
    return row.state is not None


def score(row: Prediction) -> float | Unscored:
    """1 where the reply says something false of the premise, else 0."""
    right = is_right(row)
    return Unscored.UNDECIDED if right is None else float(not right)


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    found = [share("hallucination_rate", rows, asks, score)]
    for column in params.by:
        groups: dict[str, list[Prediction]] = {}
        for row in filter(asks, rows):
            if getattr(row, column) is not None:
                groups.setdefault(getattr(row, column), []).append(row)
        found += [
            share(f"hallucination_rate.{column}={name}", group, asks, score)
            for name, group in sorted(groups.items())
        ]
    return tuple(found)
