"""The small base model: a LLaVA of a few million parameters that was taught on head CT phantoms to see and to please.

`python -m mht.phantoms.model.make --out DIR` makes it from a seed, as a hub would hold it; `base/` is where it is
shipped, and is not there yet. It tells findings, sides and
grades, and it takes every question's premise for true: no lesson of its ever had a false one. That is what tests, demo
and benchmarks train out of it. It knows drawn phantoms and nothing of patients.
"""

from __future__ import annotations

from pathlib import Path

from mht.errors import InputError


def base_folder() -> Path:
    """The folder of the model that is shipped: config, weights, tokenizer, processor, chat template.

    Raises InputError in a version that ships none.
    """
    folder = Path(__file__).parent / "base"
    if not folder.is_dir():
        raise InputError(
            "this version ships no base model: make one with python -m mht.phantoms.model.make --out DIR"
        )
    return folder
