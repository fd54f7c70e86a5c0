"""Judges of several runs: under one name the same, or not to be compared."""

from __future__ import annotations

from collections.abc import Sequence

from mht.evaluation.metrics import judged
from mht.evaluation.run import EvaluationRun
from mht.predictions import Prediction

_OF_ONE_RUN = ("spent", "probes", "digest")
"""What is said of a judge that does not make it another one."""


def same_judges(
    runs: Sequence[EvaluationRun], kept: Sequence[Sequence[Prediction]]
) -> tuple[list[str], str | None]:
    """(those who judged the rows of every run, why the scores of others are not compared)."""
    found = [judged.judges(rows) for rows in kept]
    same = [name for name in found[0] if all(name in one for one in found) and _one_identity(runs, name)]
    if all(one == same for one in found):
        return same, None
    named = "; ".join(", ".join(one) or "none" for one in found)
    what = "Judged scores are" if not same else f"Judged scores of others than {', '.join(same)} are"
    return same, f"{what} not compared: they are by different judges ({named})."


def _one_identity(runs: Sequence[EvaluationRun], judge: str) -> bool:
    """Whether one name stands for one judge: the same model, prompt and settings, as far as the runs tell."""
    told = [run.judges[judge] for run in runs if judge in run.judges]
    lasting = [{key: value for key, value in one.items() if key not in _OF_ONE_RUN} for one in told]
    return all(one == lasting[0] for one in lasting)
