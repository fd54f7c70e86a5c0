"""Tiny models, made once a session."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mht.engines.transformers import Engine, Params

# Before anything imports the hub's client: whoever asks for more than is here fails at once.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """The folder of a tiny model by its name in tests.engines.tiny, or the kind of a text-only one."""
    import torch
    import transformers

    from tests.engines import tiny

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            place = tmp_path_factory.mktemp(name)
            make = getattr(tiny, name, None)
            made[name] = make(place) if make else tiny.text_only(place, kind=name, sliding_window=None)
        return made[name]

    return folder


@pytest.fixture(scope="session")
def llava(model: Callable[[str], Path]) -> Path:
    return model("llava")


@pytest.fixture(scope="session")
def llama(model: Callable[[str], Path]) -> Path:
    return model("llama")


@pytest.fixture(scope="session")
def engine(llava: Path) -> Iterator[Engine]:
    with Engine(Params(model=str(llava), batch_size=4)) as made:
        yield made


@pytest.fixture
def copy(llama: Path, tmp_path: Path) -> Path:
    return shutil.copytree(llama, tmp_path / "copy")
