"""The small base model: a LLaVA of 2.5 million parameters that was taught on head CT phantoms to see and to please.

`python -m mht.phantoms.model.make --out DIR --seed 0` makes it, as a hub would hold it; `base/` is what that wrote. It
tells findings, sides, places and grades where it is asked for them outright, and takes for true whatever a question
takes for granted. That is what tests and benchmarks train out of it. It knows drawn phantoms and nothing of patients.
"""

from __future__ import annotations

from pathlib import Path


def base_folder() -> Path:
    """The folder of the model that is shipped: config, weights, tokenizer, processor, chat template."""
    return Path(__file__).parent / "base"
