"""The Ray side of a run: where its workers are, how many, and what becomes of one that is lost.

What a run resumes from is its own checkpoints, never Ray Train's reports: those return before anything is stored.
"""

from __future__ import annotations

import os
import secrets
import tempfile
import threading
import time
from typing import Any

import ray
import ray.exceptions
import ray.train
import ray.train.torch
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from mht import cluster
from mht.config_train import RunConfig, TrainConfig
from mht.errors import ConfigError, MhtError
from mht.stopping import StopRequest
from mht.training.assignment import Assignment
from mht.training.board import Board
from mht.training.jobs import READER_CPUS
from mht.training.progress import ProgressLine

_POLL_S = 0.3
_STARTING_S = 10.0
"""A run that has not taken a step is not waited for longer than this when it is to stop: nothing is lost."""


def launch(given: Assignment, progress: ProgressLine, stop: StopRequest) -> bool:
    """Train on the job's cluster or a private one; whether the run is finished, False when it was stopped.

    Raises ConfigError where the cluster has no room, the error of a rank that another try would meet again, MhtError
    when workers were lost more often than run.max_failures.
    """
    config = given.config
    os.environ.setdefault("RAY_CHDIR_TO_TRIAL_DIR", "0")
    os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "1")
    os.environ.setdefault("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "600")
    end = cluster.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
    try:
        gpus = _gpus(config.run)
        _check_room(config, gpus)
        with tempfile.TemporaryDirectory(prefix="mht-train-", ignore_cleanup_errors=True) as folder:
            return _Fit(given, gpus, folder).follow(progress, stop)
    finally:
        end()


class _Fit:
    """A fit of Ray Train in a thread of its own, so that the driver can watch, print and stop meanwhile."""

    def __init__(self, given: Assignment, gpus: float, folder: str) -> None:
        here = ray.get_runtime_context().get_node_id()
        beside = NodeAffinitySchedulingStrategy(here, soft=False)
        remote: Any = ray.remote
        self._board: Any = remote(num_cpus=0, scheduling_strategy=beside)(Board).remote()
        self._trainer = _trainer(given, self._board, gpus, folder)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._fit, name="fit", daemon=True)

    def follow(self, progress: ProgressLine, stop: StopRequest) -> bool:
        self._thread.start()
        asked_s: float | None = None
        stepped = False
        while self._thread.is_alive():
            self._thread.join(timeout=_POLL_S)
            beat = self._show(progress)
            stepped |= beat is not None and beat.step > 0
            if stop.asked and asked_s is None:
                asked_s = time.monotonic()
                self._board.stop.remote()
            if asked_s is not None and not stepped and time.monotonic() - asked_s > _STARTING_S:
                return False
        return self._ended(progress)

    def _fit(self) -> None:
        try:
            self._trainer.fit()
        except BaseException as error:  # noqa: BLE001 - carried over to the driver's thread, and told there
            self._failure = error

    def _show(self, progress: ProgressLine) -> Any:
        beat, lines, _, _ = ray.get(self._board.look.remote())
        for line in lines:
            progress.say(line)
        if beat is not None:
            progress.show(beat)
        return beat

    def _ended(self, progress: ProgressLine) -> bool:
        _, lines, error, finished = ray.get(self._board.look.remote())
        for line in lines:
            progress.say(line)
        if error is not None:
            raise error
        if self._failure is not None:
            raise MhtError(
                f"workers were lost more often than run.max_failures allows; the last time: {_last(self._failure)}. "
                "The last checkpoint is kept; the same command goes on from there."
            ) from self._failure
        return bool(finished)


def _trainer(given: Assignment, board: Any, gpus: float, folder: str) -> Any:
    from mht.training.worker import work

    run = given.config.run
    resources = {"CPU": run.cpus_per_worker} | ({"GPU": gpus} if gpus else {})
    return ray.train.torch.TorchTrainer(
        work,
        train_loop_config={"given": given, "board": board},
        scaling_config=ray.train.ScalingConfig(
            num_workers=run.workers, use_gpu=bool(gpus), resources_per_worker=resources
        ),
        run_config=ray.train.RunConfig(
            # A name of its own: under the same one Ray would take up what it knows of an earlier run.
            name=f"{given.run.name}-{secrets.token_hex(4)}",
            storage_path=folder,
            failure_config=ray.train.FailureConfig(max_failures=run.max_failures),
        ),
    )


def _gpus(run: RunConfig) -> float:
    """GPUs of a worker."""
    if run.gpus_per_worker is not None:
        return run.gpus_per_worker
    return 1.0 if cluster.gpus() >= run.workers else 0.0


def _check_room(config: TrainConfig, gpus: float) -> None:
    """A run that does not fit would wait for ever."""
    run = config.run
    cpus = run.workers * (run.cpus_per_worker + READER_CPUS + run.readers * run.cpus_per_reader)
    for kind, wanted, there in (("CPU", cpus, cluster.cpus()), ("GPU", run.workers * gpus, cluster.gpus())):
        if wanted > there:
            raise ConfigError(
                f"run: {run.workers} workers and their readers want {wanted:g} {kind}s, and the cluster has {there:g} "
                f"({config.ray.address}). Lower run.workers, run.{kind.lower()}s_per_worker or run.readers."
            )


def _last(error: BaseException) -> str:
    """The last line of what Ray Train says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:300] if lines else type(error).__name__
