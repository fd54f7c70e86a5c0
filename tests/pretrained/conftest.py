"""A tiny checkpoint to spoil."""

import shutil
from pathlib import Path

import pytest

from tests.engines import tiny


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A language model of one layer, as a hub would save it."""
    return tiny.text_only(tmp_path_factory.mktemp("llama"), layers=1)


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama, tmp_path / "copy")
