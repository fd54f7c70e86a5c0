"""A storage, and the benchmarks over made-up releases that are written once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mht import catalog
from mht.questions import Benchmark
from mht.storage import Storage, StorageParams
from tests.evaluation.benchmarks.made import MAKE

FAMILY = "evaluation.benchmarks"
Open = Callable[..., Benchmark]


def opened(name: str, params: dict[str, Any], storage: Storage | None = None) -> Any:
    """The benchmark of a file of the family; `Any`: some can write, too."""
    module = catalog.load(FAMILY, name)
    return module.Benchmark(module.Params.model_validate(params), storage or Storage(StorageParams()))


@pytest.fixture(scope="session")
def storage() -> Storage:
    return Storage(StorageParams())


@pytest.fixture(scope="session")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The Params of each made-up release."""
    folder = tmp_path_factory.mktemp("copies")
    return {name: make(folder / name) for name, make in MAKE.items()}


@pytest.fixture
def open_one(copies: dict[str, dict[str, Any]], storage: Storage) -> Open:
    def run(name: str, **changed: Any) -> Benchmark:
        found: Benchmark = opened(name, copies[name] | changed, storage)
        return found

    return run


def reasons(benchmark: Benchmark) -> dict[str, int]:
    """What its notes say was refused."""
    lines = [line.split(" ") for line in benchmark.notes() if line.startswith("refused: ")]
    return {line[1]: int(line[2].replace(",", "")) for line in lines}


def path_of(copies: dict[str, dict[str, Any]], name: str) -> Path:
    return Path(copies[name]["path"])
