"""A small dataset, and what an export of it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mht.dataset.exporter import export
from tests.dataset.small import write_dataset

Export = Callable[..., Path]


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    """(where the dataset lies, its pairs by id)."""
    root = str(tmp_path_factory.mktemp("small") / "dataset")
    return root, {pair["pair_id"]: pair for pair in write_dataset(root)}


@pytest.fixture(scope="session")
def pairs(small: tuple[str, dict[str, dict[str, Any]]]) -> dict[str, dict[str, Any]]:
    return small[1]


@pytest.fixture
def exported(small: tuple[str, Any], tmp_path: Path) -> Export:
    """Exports the small dataset and says where to."""

    def run(*words: str, to: str = "out") -> Path:
        export(small[0], str(tmp_path / to), words)
        return tmp_path / to

    return run


def rows_of_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def load_with_datasets(folder: Path, cache: Path) -> Any:
    """The folder as `datasets.load_dataset` has it; its caches stay below `cache`."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("HF_HOME", str(cache / "hf"))
        import datasets

        datasets.disable_progress_bars()
        return datasets.load_dataset(str(folder), cache_dir=str(cache / "datasets"))
