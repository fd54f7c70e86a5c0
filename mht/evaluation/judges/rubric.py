"""A judge without a model: offline, deterministic and free, fitted on the judgements that a real one released.

A forest of small regression trees over features of the text alone: what the reference and the reply say to the
question, what they share, deny, add and oppose (`_features.py`). A reply with another side, number or length than the
reference gets no more than the released judge ever gave to one. `benchmarks/rubric.py` fits the weights and says how
well they follow the judge that they were fitted on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.code_digest import code_digest
from mht.evaluation.judges._against import MOST_AGAINST, flatly
from mht.evaluation.judges._features import features
from mht.evaluation.judges._forest import Forest, read
from mht.judgements import HIGHEST, LOWEST, NO_TRUTH, Asked, Judgement
from mht.knowledge.spelling import normal_words
from mht.replies import degenerate

WEIGHTS = "rubric.tsv"
_NAME = "rubric"
_ROOMS = ("evaluation/judges", "knowledge")


class Params(BaseModel):
    """`max_chars`: of each text no more is read."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    max_chars: int = Field(default=8_000, ge=100, le=100_000)


def identity(params: Params) -> dict[str, Any]:
    """What decides the scores beside the row."""
    weights = hashlib.sha256(_text().encode()).hexdigest()[:16]
    return {"weights": weights, "code": code_digest(_ROOMS), **params.model_dump()}


@lru_cache(maxsize=1)
def _text() -> str:
    return files(__package__).joinpath(WEIGHTS).read_text(encoding="utf-8")


class Judge:
    """Scores from the text alone; the same row has the same scores, wherever and beside whatever it is judged.

    A reply without words, one that goes round in a loop, or the question again has the lowest score on each scale; one
    that is the reference word for word the highest, but in detail; a row without a reference has none, but the error
    `no_truth`.
    """

    def __init__(self, params: Params) -> None:
        self._max_chars = params.max_chars
        self._forest: Forest = read(_text())

    def judge(self, rows: Sequence[Asked]) -> list[Judgement]:
        """One judgement for each row, in their order."""
        return [self._one(row) for row in rows]

    def _one(self, row: Asked) -> Judgement:
        if not row.truth.strip():
            return Judgement(_NAME, failure=NO_TRUTH)
        question, truth, reply, caption = (
            text[: self._max_chars] for text in (row.question, row.truth, row.reply, row.caption or "")
        )
        if degenerate(reply) or normal_words(reply) == normal_words(question):
            return Judgement(_NAME, LOWEST, LOWEST, LOWEST, LOWEST)
        values = features(question, truth, reply, caption)
        accuracy, relevance, detail, risk = bounded(self._forest.predict(values), values)
        if normal_words(reply) == normal_words(truth):
            return Judgement(_NAME, HIGHEST, HIGHEST, detail, HIGHEST)
        return Judgement(_NAME, accuracy, relevance, detail, risk)


def bounded(predicted: Sequence[float], values: Mapping[str, float]) -> tuple[float, ...]:
    """The forest's scores on the scale, a reply flatly against its reference no higher than such replies come."""
    most = MOST_AGAINST if flatly(values) else (HIGHEST,) * len(predicted)
    return tuple(max(LOWEST, min(high, value)) for high, value in zip(most, predicted, strict=True))
