"""ROUGE: overlap of words with the reference answer, by the rouge-score package.

`rouge` is ROUGE-L (longest common subsequence), `rouge.1` and `rouge.2` are of words and pairs of words; each the mean
F over rows. Higher is better; words can be copied from the question, so it stands beside the blind baselines. Source:
Lin, ROUGE: A Package for Automatic Evaluation of Summaries, ACL 2004 workshop Text Summarization Branches Out.
Failed replies are unscored, an empty one scores 0; no row with a reference: no value, n = 0. Raises ConfigError where
rouge-score is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._library import library
from mht.predictions import Measured, Parts, Prediction, per_row, ratio

_KINDS = {"rouge": "rougeL", "rouge.1": "rouge1", "rouge.2": "rouge2"}


class Params(BaseModel):
    """`stemmer`: compare word stems (Porter)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stemmer: bool = False


def asks(row: Prediction) -> bool:
    return bool(row.truth.strip())


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    scorer = library("rouge_score.rouge_scorer", "rouge").RougeScorer(
        list(_KINDS.values()), use_stemmer=params.stemmer
    )

    def parts(row: Prediction) -> Parts:
        found = scorer.score(row.truth, row.answer)
        return (*(found[kind].fmeasure for kind in _KINDS.values()), 1.0)

    units = per_row(rows, asks, parts)
    return tuple(Measured(name, units, ratio(at, len(_KINDS))) for at, name in enumerate(_KINDS))
