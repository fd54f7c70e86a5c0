"""Figures reach TensorBoard's files in the run's folder, and other trackers where they are installed and asked for."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mht.config_train import TrackingConfig
from mht.storage import Storage, StorageParams
from mht.training.tracking import TensorBoard, trackers

STORAGE = Storage(StorageParams())


def events(folder: Path) -> list[tuple[int, str, float]]:
    """(step, name, value) of every scalar in the folder's files."""
    from tensorboardX import proto
    from tensorboardX.record_writer import RecordWriter  # noqa: F401 - the format that is read below

    found = []
    for path in sorted(folder.iterdir()):
        data = path.read_bytes()
        while data:
            size = int.from_bytes(data[:8], "little")
            event = proto.event_pb2.Event.FromString(data[12 : 12 + size])
            found += [(event.step, value.tag, value.simple_value) for value in event.summary.value]
            data = data[16 + size :]
    return found


def test_tensorboard_s_files_hold_what_was_logged(tmp_path: Path) -> None:
    board = TensorBoard(STORAGE, str(tmp_path), first=0)
    board.log(1, {"train/loss": 2.5})
    board.keep()
    assert events(tmp_path / "tensorboard") == [(1, "train/loss", 2.5)]
    board.log(2, {"train/loss": 2.25, "held_out/loss": 2.0})
    board.keep()
    board.close()
    assert [(step, value) for step, _, value in events(tmp_path / "tensorboard")] == [
        (1, 2.5),
        (2, 2.25),
        (2, 2.0),
    ]


class Recorder:
    """Stands for a tracker's package: it remembers what it is called with."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        def call(*words: Any, **named: Any) -> Recorder:
            self.calls.append((name, words, named))
            return self

        return call


@pytest.mark.parametrize("package", ["mlflow", "wandb"])
def test_others_are_told_when_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    recorder = Recorder()
    monkeypatch.setitem(sys.modules, package, SimpleNamespace(**{
        name: getattr(recorder, name)
        for name in ("set_experiment", "start_run", "log_params", "log_metrics", "end_run", "init")
    }))  # fmt: skip
    asked = TrackingConfig(**{package: "ours"})
    made = trackers(asked, STORAGE, str(tmp_path), "abc", {"seed": 3}, first=0)
    assert len(made) == 2
    for one in made:
        one.log(7, {"train/loss": 1.5})
        one.keep()
        one.close()
    told = str(recorder.calls)
    assert "ours" in told
    assert "'train/loss': 1.5" in told
    assert "seed" in told
    assert {name for name, _, _ in recorder.calls} & {"end_run", "finish"}
