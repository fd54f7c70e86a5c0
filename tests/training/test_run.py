"""R22: another configuration, model, data or code is refused with what differs; new_run starts over."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest

from mht.code_digest import code_digest
from mht.config_train import TrainConfig, load
from mht.errors import IntegrityError, RunConflict
from mht.storage import Storage, StorageParams
from mht.training.run import describe, read, take_up

STORAGE = Storage(StorageParams())


def config(output: Path, *words: str) -> TrainConfig:
    return load(None, ["model.path=models/a", "data.path=data/a", f"output={output}", *words])


def test_the_same_goes_on_wherever_model_and_data_lie(tmp_path: Path) -> None:
    first = config(tmp_path)
    assert not take_up(STORAGE, first, describe(first, "m", "d"))
    moved = load(None, ["model.path=models/b", "data.path=data/b", f"output={tmp_path}", "run.workers=4"])
    assert take_up(STORAGE, moved, describe(moved, "m", "d"))
    old = read(STORAGE, str(tmp_path))
    assert old is not None
    assert old.resolved["run"]["workers"] == 1, "what began the run is what stands there"


def test_r22_what_differs_is_named(tmp_path: Path) -> None:
    first = config(tmp_path)
    take_up(STORAGE, first, describe(first, "m" * 20, "d"))
    other = config(tmp_path, "lora.rank=4", "seed=3", "data.state=faithful")
    with pytest.raises(RunConflict) as caught:
        take_up(STORAGE, other, describe(other, "n" * 20, "e"))
    text = str(caught.value)
    for line in ("lora.rank: 16 -> 4", "seed: 0 -> 3", 'data.state: null -> ["faithful"]'):
        assert line in text
    assert "model (digest): mmmmmmmmmmmmmmmm -> nnnnnnnnnnnnnnnn" in text
    assert "data (digest): d -> e" in text
    assert "new_run=true" in text
    run = replace(describe(first, "m" * 20, "d"), code="another", name="another")
    with pytest.raises(RunConflict, match=r"code \(digest\): .* -> another"):
        take_up(STORAGE, first, run)


@pytest.fixture
def changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Changes a file of mht in a copy, which is then the code that runs are described by."""
    root = tmp_path / "code"
    shutil.copytree(str(files("mht")), root, ignore=shutil.ignore_patterns("*.safetensors", "__pycache__"))
    monkeypatch.setattr("mht.code_digest.files", lambda package: root)
    code_digest.cache_clear()
    monkeypatch.setattr("mht.training.run.code_digest", code_digest.__wrapped__)

    def change(name: str, text: str) -> None:
        with (root / name).open("a", encoding="utf-8") as file:
            file.write(text)

    return change


DECIDING = [
    "training/preference.py", "training/trainee.py", "training/rank.py", "training/loop.py", "training/jobs.py",
    "training/preparation.py", "training/step.py", "training/order.py", "training/sampling.py",
    "training/sources/llava.py", "model/packing.py", "model/loss.py", "pretrained/chat.py", "pretrained/loading.py",
    "reading.py", "seeds.py",
]  # fmt: skip


def test_r22_other_code_is_refused(tmp_path: Path, changed: Callable[[str, str], None]) -> None:
    given = config(tmp_path / "run")
    take_up(STORAGE, given, describe(given, "m", "d"))
    for name in ("training/curves.py", "training/tracking.py", "cli.py", "dataset/build.py"):
        changed(name, "\nANOTHER = 1\n")
    changed("training/loop.py", "\n# said better\n")
    run = describe(given, "m", "d")
    assert take_up(STORAGE, given, run), "what decides nothing is not asked"
    seen = {run.code}
    for name in DECIDING:
        changed(name, "\nANOTHER = 1\n")
        run = describe(given, "m", "d")
        assert run.code not in seen, name
        seen.add(run.code)
        with pytest.raises(RunConflict, match=r"code \(digest\)"):
            take_up(STORAGE, given, run)


def test_new_run_takes_the_old_one_away_and_is_itself_resumed(tmp_path: Path) -> None:
    first = config(tmp_path)
    take_up(STORAGE, first, describe(first, "m", "d"))
    for name in ("checkpoints/00000003/MANIFEST.json", "model/MANIFEST.json", "_SUCCESS", "history.parquet"):
        STORAGE.write(str(tmp_path / name), b"old")
    other = config(tmp_path, "seed=3", "new_run=true")
    assert not take_up(STORAGE, other, describe(other, "m", "d"))
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["run.json"]
    STORAGE.write(str(tmp_path / "checkpoints/00000003/MANIFEST.json"), b"new")
    assert take_up(STORAGE, other, describe(other, "m", "d")), "the same words again resume it"
    STORAGE.write(str(tmp_path / "_SUCCESS"), b"")
    assert not take_up(STORAGE, other, describe(other, "m", "d")), "once finished, they start over"


def test_new_run_looks_again_where_no_checkpoint_is_whole(tmp_path: Path) -> None:
    """What was found unlearnable may be mended since; without new_run, the list is the run's."""
    given, again = config(tmp_path), config(tmp_path, "new_run=true")
    run = describe(given, "m", "d")
    take_up(STORAGE, given, run)
    for name in ("unlearnable.json", "checkpoints/00000003/5f0c/parts/0.json"):
        STORAGE.write(str(tmp_path / name), b"old")
    assert take_up(STORAGE, given, run) is not None
    assert (tmp_path / "unlearnable.json").exists()
    assert take_up(STORAGE, again, run) is None
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["run.json"]


def test_a_folder_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text('{"name": "x", "config": {}, "plan": 3}')
    with pytest.raises(IntegrityError, match="not a training run's record"):
        take_up(STORAGE, config(tmp_path), describe(config(tmp_path), "m", "d"))
