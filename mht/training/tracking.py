"""Figures to those who draw them while a run goes on: TensorBoard always, MLflow and W&B when asked for."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from mht.config_identity import flatten
from mht.config_train import TrackingConfig
from mht.storage import Storage, join
from mht.training.beside import Beside, Tracker
from mht.training.run import Run

FOLDER = "tensorboard"
_TAG = "mht.run"


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
    """A run of an experiment, at MLFLOW_TRACKING_URI; a resumed run, found by its id, goes on in the same one.

    To be used in one thread: the package knows its run by that.
    """

    def __init__(self, experiment: str, run: Run) -> None:
        import mlflow

        self._mlflow = mlflow
        mlflow.set_experiment(experiment)
        found = mlflow.search_runs(
            experiment_names=[experiment], filter_string=f"tags.`{_TAG}` = '{run.id}'", output_format="list"
        )
        if found:
            mlflow.start_run(run_id=found[0].info.run_id)
            return
        mlflow.start_run(run_name=run.name, tags={_TAG: run.id})
        # Once: a parameter may not change there, and where the work is done may.
        mlflow.log_params({key: str(value)[:500] for key, value in flatten(run.resolved)})

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self._mlflow.log_metrics(dict(figures), step=step)

    def keep(self) -> None:
        """Nothing: each figure is sent as it comes."""

    def close(self) -> None:
        self._mlflow.end_run()


class Wandb:
    """A run of a project; a resumed run goes on in the same one."""

    def __init__(self, project: str, run: Run) -> None:
        import wandb

        self._run: Any = wandb.init(
            project=project, id=run.id, name=run.name, resume="allow", config=dict(flatten(run.resolved)),
            allow_val_change=True,
        )  # fmt: skip

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self._run.log(dict(figures), step=step)

    def keep(self) -> None:
        """Nothing: each figure is sent as it comes."""

    def close(self) -> None:
        self._run.finish()


def trackers(
    config: TrackingConfig, storage: Storage, root: str, run: Run, first: int, warn: Callable[[str], None]
) -> list[Tracker]:
    """All that were asked for, each beside the training; `first` is the step that this process begins at."""
    made: list[Callable[[], Tracker]] = [partial(TensorBoard, storage, root, first)]
    if config.mlflow is not None:
        made.append(partial(MLflow, config.mlflow, run))
    if config.wandb is not None:
        made.append(partial(Wandb, config.wandb, run))
    return [Beside(make, warn) for make in made]
