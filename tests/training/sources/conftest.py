"""A small dataset of our own, and a storage."""

from __future__ import annotations

from typing import Any

import pytest

from mht.storage import Storage, StorageParams
from tests.dataset.small import write_dataset

RISKS = ("low", "critical")


def with_risks(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first twins of an image are of low risk, the second ones of critical."""
    return [{**pair, "risk": RISKS[index // 2 % 2]} for index, pair in enumerate(pairs)]


@pytest.fixture(scope="session")
def storage() -> Storage:
    return Storage(StorageParams())


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, dict[str, Any]]]:
    """(where the dataset lies, its pairs by id)."""
    root = str(tmp_path_factory.mktemp("ours") / "dataset")
    return root, {pair["pair_id"]: pair for pair in write_dataset(root, change=with_risks)}
