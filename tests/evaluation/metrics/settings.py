"""Settings for the metrics that have no defaults of their own; skipped where what they need is not there."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mht import catalog
from mht.errors import ConfigError
from mht.evaluation.metrics import meteor
from mht.predictions import Prediction

LAYER = 2
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,:-()"


@cache
def encoder() -> str:
    """A folder with a tiny encoder of random weights that reads letter by letter, made once."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizer

    folder = Path(tempfile.mkdtemp(prefix="mht-encoder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{letter}" for letter in LETTERS)]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=LAYER,
            num_attention_heads=4,
            intermediate_size=64,
        )
        BertModel(config).save_pretrained(folder)
    BertTokenizer(str(folder / "vocab.txt"), model_max_length=512).save_pretrained(folder)
    return str(folder)


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
