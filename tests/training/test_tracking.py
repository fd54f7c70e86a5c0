"""Figures reach TensorBoard's files in the run's folder, and other trackers where they are installed and asked for."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mht.config_train import TrackingConfig
from mht.storage import Storage, StorageParams
from mht.training.run import Run
from mht.training.tracking import TensorBoard, trackers
from tests.training import ranked

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


class Service:
    """Stands for a tracker's package: it remembers its runs and what each was told."""

    def __init__(self) -> None:
        self.runs: dict[str, dict[str, Any]] = {}
        self.open = ""
        self.ended = 0

    def tell(self, figures: dict[str, float], step: int) -> None:
        self.runs[self.open]["told"].append((step, figures))

    def end(self) -> None:
        self.open = ""
        self.ended += 1


class FakeMLflow(Service):
    def set_experiment(self, name: str) -> None:
        self.experiment = name

    def search_runs(self, experiment_names: list[str], filter_string: str, output_format: str) -> list[Any]:
        assert (experiment_names, output_format) == ([self.experiment], "list")
        key, _, value = filter_string.partition(" = ")
        wanted = {key.removeprefix("tags.").strip("`"): value.strip("'")}
        found = [name for name, run in self.runs.items() if run["tags"] == wanted]
        return [SimpleNamespace(info=SimpleNamespace(run_id=name)) for name in found]

    def start_run(self, run_id: str | None = None, run_name: str = "", tags: Any = None) -> None:
        self.open = run_id or f"{len(self.runs)}"
        if run_id is None:
            self.runs[self.open] = {"tags": tags, "settings": {}, "told": []}

    def log_params(self, given: dict[str, str]) -> None:
        there = self.runs[self.open]["settings"]
        assert all(there.get(key, value) == value for key, value in given.items()), "as MLflow refuses it"
        there.update(given)

    def log_metrics(self, figures: dict[str, float], step: int) -> None:
        self.tell(figures, step)

    def end_run(self) -> None:
        self.end()


class FakeWandb(Service):
    def init(self, project: str, id: str, name: str, resume: str, config: Any, allow_val_change: bool) -> Any:
        assert resume == "allow"
        self.experiment, self.open = project, id
        self.runs.setdefault(id, {"told": []})["settings"] = config
        return SimpleNamespace(log=self.log, finish=self.end)

    def log(self, figures: dict[str, float], step: int) -> None:
        self.tell(figures, step)


RUN = Run("a run", {"seed": 3, "run": {"workers": 1}}, "m", "d", "c", {}, "the id")


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> dict[str, Service]:
    """In the place of the packages."""
    made: dict[str, Service] = {"mlflow": FakeMLflow(), "wandb": FakeWandb()}
    for name, service in made.items():
        monkeypatch.setitem(sys.modules, name, service)  # type: ignore[arg-type]
    monkeypatch.setattr("mht.config_train.find_spec", lambda name: name)
    return made


@pytest.mark.parametrize("package", ["mlflow", "wandb"])
def test_one_run_of_ours_is_one_there(tmp_path: Path, services: dict[str, Service], package: str) -> None:
    """Across resumes, whatever may differ in them; the same configuration begun anew is another."""
    service = services[package]
    elsewhere = replace(RUN, resolved={"seed": 3, "run": {"workers": 2}})
    for run, step in ((RUN, 1), (elsewhere, 2), (replace(RUN, id="another"), 1)):
        made = trackers(TrackingConfig(**{package: "ours"}), STORAGE, str(tmp_path), run, 0, raised)
        assert len(made) == 2
        for one in made:
            one.log(step, {"train/loss": 1.5})
            one.keep()
            one.close()
    assert service.experiment == "ours"
    first, second = service.runs.values()
    assert [step for step, _ in first["told"]] == [1, 2]
    assert second["told"] == [(1, {"train/loss": 1.5})]
    assert str(first["settings"]["seed"]) == "3"
    assert service.ended == 3


def test_the_id_is_the_run_s_own(given: list[str], tmp_path: Path, services: dict[str, Service]) -> None:
    """Through the command: stopped and resumed, begun anew when it is finished, and the same elsewhere."""
    usual = [*given, "run.ray=false", "validation.rows=0", "max_steps=4"]
    usual = [word for word in usual if word != "validation.rows=8"]
    usual += ["tracking.mlflow=ours", "tracking.wandb=ours"]
    words = [*usual, f"output={tmp_path / 'run'}"]
    counts = []
    for taken, after in (
        (words, 2),
        (words, None),
        ([*words, "new_run=true"], None),
        ([*usual, f"output={tmp_path / 'elsewhere'}"], None),
    ):
        ranked.run_command(taken, after)
        counts.append([len(service.runs) for service in services.values()])
    assert counts == [[1, 1], [1, 1], [2, 2], [3, 3]]
    for service in services.values():
        told = [[step for step, _ in run["told"] if step] for run in service.runs.values()]
        assert [sorted(set(steps)) for steps in told] == [[1, 2, 3, 4]] * 3


def raised(line: str) -> None:
    raise AssertionError(line)
