"""METEOR: words, stems and synonyms in common with the reference answer, by NLTK; the "M.Score" of MedHallTune.

The mean over rows of `nltk.single_meteor_score(reference.split(), reply.split())`, which is how the published figures
were made. Higher is better; a yes and the question repeated do well by it, so it stands beside the blind baselines.
Source: Lavie and Agarwal, ACL 2007 workshop WMT; MedHallTune (arXiv 2502.20780).
Failed replies are unscored, an empty one scores 0; no row with a reference: no value, n = 0. Raises ConfigError where
NLTK or WordNet 3.0 is not there, with the remedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from mht.errors import ConfigError
from mht.evaluation.metrics._library import library
from mht.evaluation.metrics._wordnet import reader
from mht.predictions import Measured, Prediction, share


class Params(BaseModel):
    """`wordnet`: the folder with WordNet 3.0 (`index.noun`, `data.noun` …), None for where NLTK or Debian keep it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    wordnet: str | None = None


def asks(row: Prediction) -> bool:
    return bool(row.truth.strip())


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    def score(row: Prediction) -> float:
        words = _wordnet(params.wordnet)
        found: float = _meteor().single_meteor_score(row.truth.split(), row.answer.split(), wordnet=words)
        return found

    return (share("meteor", rows, asks, score),)


def _meteor() -> Any:
    return library("nltk.translate.meteor_score", "meteor")


@lru_cache(maxsize=2)
def _wordnet(folder: str | None) -> Any:
    places = (Path(folder),) if folder is not None else _usual_places()
    for place in places:
        if (place / "index.noun").is_file():
            return reader(place)
    raise ConfigError(
        f"metric meteor: no WordNet 3.0 (index.noun …) in {' or '.join(map(str, places))}. Install Debian's "
        "wordnet-base, or run `python -m nltk.downloader wordnet`, or name the folder in `wordnet`."
    )


def _usual_places() -> tuple[Path, ...]:
    data = library("nltk", "meteor").data.path
    return (*(Path(place) / "corpora" / "wordnet" for place in data), Path("/usr/share/wordnet"))
