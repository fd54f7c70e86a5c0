"""BLEU of the whole run against the reference answers, counted by sacrebleu; of 1, where sacrebleu's is of 100.

Matches of n-grams up to 4 are summed over rows before they are divided (corpus BLEU, not a mean of sentences), with
sacrebleu's exponential smoothing and its 13a tokens. Higher is better. Source: Papineni et al., ACL 2002; Post, A Call
for Clarity in Reporting BLEU Scores (arXiv 1804.08771).
Failed replies are unscored, an empty one counts with its missing length; no row with a reference: no value, n = 0.
Raises ConfigError where sacrebleu is not installed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._library import library
from mht.predictions import Array, Measured, Parts, Prediction, per_row

_ORDER = 4


class Params(BaseModel):
    """`lowercase`: without regard to case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lowercase: bool = False


def asks(row: Prediction) -> bool:
    return bool(row.truth.strip())


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    scorer: Any = library("sacrebleu", "bleu").BLEU(lowercase=params.lowercase, effective_order=True)

    def parts(row: Prediction) -> Parts:
        found = scorer.sentence_score(row.answer, [row.truth])
        return (
            *map(float, found.counts),
            *map(float, found.totals),
            float(found.sys_len),
            float(found.ref_len),
        )

    return (Measured("bleu", per_row(rows, asks, parts), corpus),)


def corpus(parts: Array, weights: Array) -> Array:
    """sacrebleu's formula on summed matches, totals and lengths."""
    sums = weights @ parts
    matches, totals = sums[..., :_ORDER], sums[..., _ORDER : 2 * _ORDER]
    said, due = sums[..., -2], sums[..., -1]
    halvings = np.cumsum(matches == 0, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        precisions = np.where(matches > 0, matches, 0.5**halvings) / totals
        brevity = np.where(said < due, np.exp(1 - due / said), 1.0)
        value = brevity * np.exp(np.log(precisions).mean(axis=-1))
    undefined = weights.sum(axis=-1) == 0
    nothing = (matches.sum(axis=-1) == 0) | (totals == 0).any(axis=-1)
    return np.where(undefined, np.nan, np.where(nothing, 0.0, value))
