"""A base of the hub: the commit that it meant when the run began stays the run's, and its adapter's. Offline."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub.constants
import pytest

from mht.artifacts import SUCCESS
from mht.config_train import TrainConfig, load
from mht.errors import InputError
from mht.model.card import ModelCard
from mht.model.export_command import export_run
from mht.pretrained.bases import CARD
from mht.storage import Storage, StorageParams
from mht.training.base import settled
from mht.training.run import describe, take_up
from tests.training.ranked import run_command

STORAGE = Storage(StorageParams())
HUB_ID, FIRST, SECOND = "someone/tiny-llava", "a" * 40, "b" * 40

Point = Callable[[str], None]


@pytest.fixture
def point(llava: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Point:
    """Moves the main branch of a cached hub id to a commit, whose files are there."""
    cache = tmp_path / "hub"
    there = cache / "models--someone--tiny-llava"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    (there / "refs").mkdir(parents=True)

    def move(commit: str) -> None:
        (there / "refs/main").write_text(commit)
        folder = there / "snapshots" / commit
        if not folder.exists():
            shutil.copytree(llava, folder)

    return move


def config(tmp_path: Path, *words: str) -> TrainConfig:
    told = [f"model.path={HUB_ID}", "data.path=nowhere", f"output={tmp_path / 'run'}", *words]
    return load(None, told)


def begun(given: TrainConfig) -> TrainConfig:
    pinned, folder, _ = settled(given, STORAGE)
    take_up(STORAGE, pinned, describe(pinned, "m", "d"))
    assert folder.name == pinned.model.revision
    return pinned


def test_the_commit_that_the_hub_means_is_recorded(point: Point, tmp_path: Path) -> None:
    point(FIRST)
    assert begun(config(tmp_path)).model.revision == FIRST
    assert json.loads((tmp_path / "run/run.json").read_text())["config"]["model"]["revision"] == FIRST


def test_a_run_goes_on_with_its_commit_and_is_told_that_the_branch_moved(
    point: Point, tmp_path: Path
) -> None:
    point(FIRST)
    begun(config(tmp_path))
    assert settled(config(tmp_path), STORAGE)[2] is None
    point(SECOND)
    for words in ((), ("model.revision=main",)):
        pinned, folder, told = settled(config(tmp_path, *words), STORAGE)
        assert (pinned.model.revision, folder.name) == (FIRST, FIRST)
        assert told is not None
        assert SECOND in told
        assert FIRST in told
    assert settled(config(tmp_path, f"model.revision={SECOND}"), STORAGE)[1].name == SECOND


def test_a_finished_run_that_starts_over_takes_what_the_branch_means_now(
    point: Point, tmp_path: Path
) -> None:
    point(FIRST)
    begun(config(tmp_path))
    (tmp_path / "run" / SUCCESS).touch()
    point(SECOND)
    assert settled(config(tmp_path), STORAGE)[1].name == FIRST
    assert settled(config(tmp_path, "new_run=true"), STORAGE)[1].name == SECOND


def test_a_folder_has_no_commit(llava: Path, tmp_path: Path) -> None:
    given = load(None, [f"model.path={llava}", "data.path=nowhere", f"output={tmp_path}"])
    assert settled(given, STORAGE) == (given, llava, None)


def test_a_finished_run_stands_for_its_model(llava: Path, tmp_path: Path) -> None:
    model = shutil.copytree(llava, tmp_path / "sft/model")
    (tmp_path / "sft/run.json").write_text("{}")
    words = ["data.path=nowhere", f"output={tmp_path / 'dpo'}"]
    inner, folder, told = settled(load(None, [f"model.path={tmp_path / 'sft'}", *words]), STORAGE)
    assert (folder, told) == (model, None)
    assert inner == load(None, [f"model.path={model}", *words])
    assert describe(inner, "m", "d").resolved["model"]["path"] == str(model)


def test_a_model_that_is_nowhere_is_named(point: Point, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"{HUB_ID} at None is not to be had"):
        settled(config(tmp_path), STORAGE)


def test_the_adapter_knows_its_commit_and_is_merged_without_being_told(
    point: Point, given: list[str], tmp_path: Path
) -> None:
    point(FIRST)
    ours = ("model.path", "validation.", "checkpoints.")
    words = [word for word in given if not word.startswith(ours)]
    words += [f"model.path={HUB_ID}", f"output={tmp_path / 'run'}", "run.ray=false", "max_steps=4"]
    words += ["validation.rows=0", "checkpoints.every_steps=1"]
    assert run_command(words, after=1)[0] is None
    point(SECOND)
    found, shown = run_command(words)
    assert found is not None
    assert any(f"goes on with {FIRST}" in line for line in shown.lines)
    card = ModelCard.from_json((tmp_path / "run/model" / CARD).read_bytes())
    assert card.base_revision == FIRST
    for number, base in enumerate(([], [f"base={HUB_ID}"])):
        out = tmp_path / f"merged-{number}"
        export_run(str(tmp_path / "run"), str(out), ["merge=true", *base])
        assert (out / "model.safetensors").exists()
