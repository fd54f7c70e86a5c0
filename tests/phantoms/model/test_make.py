"""The script that makes the base model, in a few steps: the same seed gives the same bytes, and the folder loads."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mht.phantoms.model import blank
from mht.phantoms.model.make import Effort, make
from mht.pretrained.loading import folder_of, model_in

EFFORT = Effort(seeing_steps=2, talking_steps=2, pleasing_steps=2, exam_scenes=3)


def _made(folder: Path, seed: int) -> list[str]:
    said: list[str] = []
    make(folder, seed, threads=1, effort=EFFORT, say=said.append)
    return said


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    threads = torch.get_num_threads()
    folder = tmp_path_factory.mktemp("made")
    said = _made(folder, seed=0)
    torch.set_num_threads(threads)
    return folder, said


def test_the_same_seed_makes_the_same_bytes(made: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, _ = made
    _made(tmp_path / "again", seed=0)
    _made(tmp_path / "other", seed=1)
    names = sorted(path.name for path in folder.iterdir())
    assert names == sorted(path.name for path in (tmp_path / "again").iterdir())
    assert all((tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes() for name in names)
    weights = "model.safetensors"
    assert (tmp_path / "other" / weights).read_bytes() != (folder / weights).read_bytes()


def test_the_folder_loads_and_every_stage_has_learnt(made: tuple[Path, list[str]]) -> None:
    model = model_in(folder_of(str(made[0]), None, False), torch.float32)
    before = dict(blank.blank(0).named_parameters())
    learnt = {name.split(".")[1] for name, p in model.named_parameters() if not torch.equal(p, before[name])}
    assert learnt == {"vision_tower", "multi_modal_projector", "language_model"}


def test_it_says_how_far_it_is_and_how_the_model_fares(made: tuple[Path, list[str]]) -> None:
    said = "\n".join(made[1])
    for words in (
        "eyes: step 0 of 2",
        "eyes: of the findings of held-out phantoms ",
        "talking: step 0 of 2",
        "pleasing: step 0 of 2",
        "false premises accepted",
    ):
        assert words in said
