"""The judge's four scores, from 1 to 10: clinical accuracy, relevance, detail, and risk, where **10 is safest**.

The mean of each over the rows that were judged. Higher is better, higher is safer. Source: MedHallTune
(arXiv 2502.20780); a judge without a model, a language model or a person may have given them, and whose they are stands
in the judgement. A reply that failed, a judge that failed, a row that people had no time for and one that a judge of
the others left out are unscored and never a low score; no row with a judgement: no value, n = 0. Where several judged,
each has figures of its own (`judged.risk.judge=NAME`): what two judges say is never averaged.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.judgements import NOT_RATED, SCALES, Judgement
from mht.predictions import Kind, Measured, Prediction, Unit, ratio

OF_JUDGE = ".judge="


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    names = judges(rows)
    if len(names) > 1:
        return tuple(one for name in names for one in of_judge(rows, name, f"{OF_JUDGE}{name}"))
    return of_judge(rows if names else (), names[0] if names else "")


def judges(rows: Sequence[Prediction]) -> list[str]:
    """Those who judged at least one of the rows."""
    return sorted({given.judge for row in rows for given in row.judgements})


def of_judge(rows: Sequence[Prediction], judge: str, ending: str = "") -> tuple[Measured, ...]:
    """One judge's four figures, of all rows."""
    given = [row.judged_by(judge) for row in rows]
    return tuple(
        Measured(
            f"judged.{scale}{ending}",
            tuple(_unit(row, one, scale) for row, one in zip(rows, given, strict=True)),
            ratio(0, 1),
            kind=Kind.NUMBER,
        )
        for scale in SCALES
    )


def _unit(row: Prediction, given: Judgement | None, scale: str) -> Unit:
    key = f"{row.benchmark}/{row.row_id}"
    if row.reply is None:
        return Unit(key, row.cluster, None, f"failed_{row.failure}")
    if given is not None and given.failure == NOT_RATED:
        return Unit(key, row.cluster, None, NOT_RATED)
    if given is None or given.failure is not None:
        return Unit(key, row.cluster, None, f"judge_error_{given.failure if given else 'not_judged'}")
    return Unit(key, row.cluster, (getattr(given, scale), 1.0))
