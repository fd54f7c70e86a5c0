"""The small base model: a LLaVA of a few million parameters that was taught on chest phantoms to see and to please.

`base/` holds it as a hub would; `python -m mht.phantoms.model.make` makes it from a seed. It tells findings, sides and
grades, and it takes every question's premise for true: no lesson of its ever had a false one. That is what tests, demo
and benchmarks train out of it. It knows drawn phantoms and nothing of patients.
"""

from __future__ import annotations

from pathlib import Path


def base_folder() -> Path:
    """The folder of the model that is shipped: config, weights, tokenizer, processor, chat template."""
    return Path(__file__).parent / "base"
