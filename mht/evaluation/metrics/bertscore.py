"""BERTScore: how alike reply and reference answer are, token by token, to a language model; by the bert-score package.

`bertscore` is the mean F1, `bertscore.precision` and `bertscore.recall` its two sides, raw: not rescaled to a baseline.
Higher is better, on a scale of the model's own: figures of two models, or of two layers, say nothing to each other, and
a wrong side of the body changes little. Source: Zhang et al. (arXiv 1904.09675); the "B.Score" of MedHallTune is of
roberta-large, layer 17.
Failed replies are unscored, an empty one scores 0; no row with a reference: no value, n = 0, and no model is loaded.
Raises ConfigError where bert-score is not installed or the model's folder is not there.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, PositiveInt

from mht.errors import ConfigError
from mht.evaluation.metrics._library import library
from mht.predictions import Measured, Parts, Prediction, per_row, ratio


class Params(BaseModel):
    """`model`: a local folder with an encoder and its tokenizer; `layer`: whose output is compared, the first is 1."""

    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())

    model: str
    layer: PositiveInt
    batch_size: PositiveInt = 64
    device: str | None = None


def asks(row: Prediction) -> bool:
    return bool(row.truth.strip())


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    texts = sorted({(row.answer, row.truth) for row in rows if asks(row) and row.answer.strip()})
    found = dict(zip(texts, _scores(texts, params), strict=True)) if texts else {}

    def parts(row: Prediction) -> Parts:
        return (*found.get((row.answer, row.truth), (0.0, 0.0, 0.0)), 1.0)

    units = per_row(rows, asks, parts)
    names = ("bertscore", "bertscore.precision", "bertscore.recall")
    return tuple(Measured(name, units, ratio(at, 3)) for at, name in enumerate(names))


def _scores(texts: Sequence[tuple[str, str]], params: Params) -> list[tuple[float, float, float]]:
    """(F1, precision, recall) of each pair of reply and reference."""
    scorer = _scorer(params.model, params.layer, params.batch_size, params.device)
    replies, truths = [reply for reply, _ in texts], [truth for _, truth in texts]
    precision, recall, f1 = scorer.score(replies, truths)
    return list(zip(f1.tolist(), precision.tolist(), recall.tolist(), strict=True))


@lru_cache(maxsize=1)
def _scorer(model: str, layer: int, batch_size: int, device: str | None) -> Any:
    """bert-score with its model, loaded once."""
    if not (Path(model) / "config.json").is_file():
        raise ConfigError(
            f"metric bertscore: {model} holds no config.json. Name a local folder with an encoder in `model`."
        )
    package: Any = library("bert_score", "bertscore")
    return package.BERTScorer(model_type=model, num_layers=layer, batch_size=batch_size, device=device)
