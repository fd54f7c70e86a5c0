"""Pair accuracy: of the twins, a faithful and a hallucinated question on one image, the share with both replies right.

A model that always says yes, or always no, gets 0: half the rows right is not half a pair. Higher is better. Source:
the question pairs of NaturalBench (arXiv 2410.14669) and MME's accuracy+ (arXiv 2306.13394), here on twins that differ
in one edited span. Right is what `_stance` reads: a true premise taken for true, a false one declined.
A pair is unscored where a reply of it failed or is undecided, even if the other one is wrong already (to count only
the wrong ones of them would tilt the share), or where its twin is not among the rows; no pair: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._stance import is_right
from mht.predictions import Measured, Prediction, Unit, Unscored, ratio


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    pairs: dict[tuple[str, str], list[Prediction]] = {}
    for row in rows:
        if row.twin_id is not None and row.state is not None:
            pairs.setdefault((row.benchmark, row.twin_id), []).append(row)
    units = tuple(_unit("/".join(key), sorted(pair, key=_by_state)) for key, pair in sorted(pairs.items()))
    return (Measured("twins", units, ratio(0, 1)),)


def _by_state(row: Prediction) -> tuple[str, str]:
    return str(row.state), row.row_id


def _unit(key: str, pair: Sequence[Prediction]) -> Unit:
    if len({row.state for row in pair}) < 2:
        return Unit(key, pair[0].cluster, None, Unscored.LONE_TWIN)
    right = [None if row.reply is None else is_right(row) for row in pair]
    if None in right:
        failed = [row.failure for row in pair if row.reply is None]
        return Unit(key, pair[0].cluster, None, f"failed_{failed[0]}" if failed else Unscored.UNDECIDED)
    return Unit(key, pair[0].cluster, (float(all(right)), 1.0))
