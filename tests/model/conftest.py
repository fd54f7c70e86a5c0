"""Tiny models of each family, and examples about drawn pictures."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mht.model.examples import Example, Exchange, Turn
from tests.engines import tiny
from tests.model import llava_med

EYES = (
    "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "internvl", "qwen2_5_vl", "qwen3_vl", "gemma3",
)  # fmt: skip
TEXT = ("llama", "mistral", "qwen2", "qwen3")
ENDS = frozenset({3})
CONTEXT = 2048


def example(number: int, exchanges: int, image: bool = True, turns: int = 1) -> Example:
    """Questions and answers of drawn words about a picture whose size changes with its number."""
    rng = random.Random(number)
    picture = tiny.png(number, 56, 56 if number % 2 else 84) if image else None

    def turn() -> Turn:
        return Turn(" ".join(rng.choices(tiny.WORDS, k=rng.randint(3, 9))), _answer(rng))

    made = tuple(
        Exchange(f"{number}-{k}", tuple(turn() for _ in range(turns)), rejected=_answer(rng))
        for k in range(exchanges)
    )
    return Example(f"example {number}", picture, made)


def _answer(rng: random.Random) -> str:
    return " ".join(["yes", ",", *rng.choices(tiny.WORDS, k=rng.randint(1, 7))])


@dataclass(frozen=True)
class Family:
    """A tiny model in memory with what prepares examples for it."""

    folder: Path
    model: Any
    chat: Any
    preparer: Any

    def learner(self) -> Any:
        from mht.model.learner import Learner

        return Learner(self.model)


def losses_of(learner: Any, batches: list[Any]) -> dict[str, float]:
    """Of each exchange of the batches, without a gradient."""
    import torch

    with torch.no_grad():
        made = [(batch, learner(batch)) for batch in batches]
    return {
        name: float(loss)
        for batch, losses in made
        for name, loss in zip(batch.names, losses.sums, strict=True)
    }


def causal(batch: Any, window: int | None, image_id: int | None) -> Any:
    """The mask that leaks: an exchange sees those before it."""
    import torch

    rows, columns = batch.ids.shape
    return torch.ones(rows, 1, columns, columns, dtype=torch.bool).tril()


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Family]:
    """A family by its name in tests.engines.tiny, or the kind of a text-only one; made once."""
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    made: dict[str, Family] = {}

    def get(name: str) -> Family:
        if name not in made:
            made[name] = _made(name, tmp_path_factory.mktemp(name))
        return made[name]

    return get


@pytest.fixture
def windowed(tmp_path: Path) -> Callable[..., Family]:
    """A text-only family of a kind, with settings of its own."""
    return lambda kind, **settings: _made(kind, tmp_path, **settings)


def _made(name: str, folder: Path, **settings: Any) -> Family:
    make = getattr(tiny, name, None)
    if make is None:
        tiny.text_only(folder, kind=name, **({"sliding_window": None} | settings))
    else:
        make(folder)
    return opened(name, folder)


def opened(name: str, folder: Path) -> Family:
    """The family of this name as it lies in the folder, in memory anew."""
    import torch

    from mht.model.conversation import Preparer
    from mht.pretrained import loading
    from mht.pretrained.chat import Chat

    model = loading.model_in(folder, torch.float32)
    if name in tiny.STILL:
        processor = tiny.still_processor(folder)
        chat = Chat(processor.tokenizer, processor)
    else:
        chat = Chat(*loading.reader_in(folder, model))
    return Family(folder, model, chat, Preparer(chat, ENDS, CONTEXT))


@pytest.fixture(scope="session")
def source(tmp_path_factory: pytest.TempPathFactory) -> llava_med.Tiny:
    """LLaVA's own layout, as LLaVA-Med v1.5: Mistral, a projector of two layers, the vision tower within."""
    return llava_med.make(tmp_path_factory.mktemp("llava-med"))


@pytest.fixture
def copy(source: llava_med.Tiny, tmp_path: Path) -> Path:
    """The source, to spoil."""
    return shutil.copytree(source.folder, tmp_path / "copy")


@pytest.fixture(scope="session")
def converted(source: llava_med.Tiny, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source as a transformers LLaVA, in several shards."""
    from mht.model.convert import convert

    output = tmp_path_factory.mktemp("converted") / "out"
    convert(str(source.folder), str(output), [f"vision_tower={source.tower_folder}", "max_shard_size=100KB"])
    return output
