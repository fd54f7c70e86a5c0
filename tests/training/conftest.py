"""A tiny LLaVA and a small dataset of our own, and what a run of one on the other is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.dataset.small import write_dataset
from tests.engines import tiny


@pytest.fixture(scope="session")
def llava(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    import transformers

    # As the runs have it: another number would round otherwise.
    torch.set_num_threads(1)
    transformers.logging.disable_progress_bar()
    return tiny.llava(tmp_path_factory.mktemp("models") / "llava")


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = str(tmp_path_factory.mktemp("data") / "dataset")
    write_dataset(root)
    return root


@pytest.fixture(scope="session")
def given(llava: Path, data: str) -> list[str]:
    """Words of a run of fifteen steps: three epochs of nine images, two a step."""
    return [
        f"model.path={llava}", f"data.path={data}", "step_examples=2", "epochs=3", "validation.rows=8",
        "validation.every_steps=5", "checkpoints.every_steps=4", "run.progress=false",
    ]  # fmt: skip
