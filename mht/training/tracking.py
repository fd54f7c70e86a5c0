"""Figures to those who draw them while a run goes on: TensorBoard always, MLflow and W&B when asked for."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from mht.config_train import TrackingConfig
from mht.storage import Storage, join

FOLDER = "tensorboard"


class Tracker(Protocol):
    """Takes figures by name; a step is the number of steps taken."""

    def log(self, step: int, figures: Mapping[str, float]) -> None: ...
    def keep(self) -> None: ...
    def close(self) -> None: ...


class TensorBoard:
    """Event files, written to a local folder and copied to the run's whenever they are to be kept.

    `first` is the step that this process begins at: what an earlier one drew after it is drawn anew. Written at once,
    and not by the library's own thread, whose flush leaves out what still waits in its queue.
    """

    def __init__(self, storage: Storage, root: str, first: int) -> None:
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._storage = storage
        self._root = join(root, FOLDER)
        self._folder = Path(tempfile.mkdtemp(prefix="mht-tensorboard-"))
        self._event: Any = Event
        self._writer: Any = EventsWriter(str(self._folder / "events"), f".{first}")
        self._write(first, session_log=SessionLog(status=SessionLog.START))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        from tensorboardX.summary import scalar

        for name, value in figures.items():
            self._write(step, summary=scalar(name, value))

    def keep(self) -> None:
        self._writer.flush()
        for path in sorted(self._folder.iterdir()):
            self._storage.write(join(self._root, path.name), path.read_bytes())

    def _write(self, step: int, **what: Any) -> None:
        self._writer.write_event(self._event(wall_time=time.time(), step=step, **what))

    def close(self) -> None:
        self._writer.close()
        shutil.rmtree(self._folder, ignore_errors=True)


class MLflow:
    """A run of an experiment, at MLFLOW_TRACKING_URI; `name` is the run's own."""

    def __init__(self, experiment: str, name: str, settings: Mapping[str, Any]) -> None:
        import mlflow

        self._mlflow = mlflow
        mlflow.set_experiment(experiment)
        mlflow.start_run(run_name=name)
        mlflow.log_params({key: str(value)[:500] for key, value in settings.items()})

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(figures), step=step)

    def keep(self) -> None:
        """Nothing: each figure is sent as it comes."""

    def close(self) -> None:
        self._mlflow.end_run()


class Wandb:
    """A run of a project; a resumed run goes on in the same one."""

    def __init__(self, project: str, name: str, settings: Mapping[str, Any]) -> None:
        import wandb

        self._run: Any = wandb.init(project=project, id=name, resume="allow", config=dict(settings))

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=step)

    def keep(self) -> None:
        """Nothing: each figure is sent as it comes."""

    def close(self) -> None:
        self._run.finish()


def trackers(
    config: TrackingConfig, storage: Storage, root: str, name: str, settings: Mapping[str, Any], first: int
) -> list[Tracker]:
    """All that were asked for; `name` is the run's, `settings` its flat configuration."""
    made: list[Tracker] = [TensorBoard(storage, root, first)]
    if config.mlflow is not None:
        made.append(MLflow(config.mlflow, name, settings))
    if config.wandb is not None:
        made.append(Wandb(config.wandb, name, settings))
    return made
