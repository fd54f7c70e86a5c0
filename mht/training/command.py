"""`mht train` as a person meets it: the live line while it runs, the table at the end, the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from mht.artifacts import MANIFEST, SUCCESS
from mht.config_train import TrainConfig
from mht.errors import MhtError
from mht.lease import Lease, impatient
from mht.stopping import StopRequest
from mht.storage import Storage, join
from mht.terminal import clock_face, size_face, table
from mht.training.assignment import Assignment, assign
from mht.training.history import held_out
from mht.training.progress import Beat, ProgressLine

RESULTS = "results.json"


def run_train(config: TrainConfig) -> int:
    """Train, print what came of it, return the exit code. Raises MhtError for everything that stops it."""
    progress = ProgressLine(sys.stderr, on=config.run.progress)
    with StopRequest("its last checkpoint is kept") as stop:
        try:
            found = train(config, progress, stop)
        finally:
            progress.clear()
    print(summary(config, found))
    return 0


def train(config: TrainConfig, progress: ProgressLine, stop: StopRequest) -> dict[str, Any]:
    """Train or go on; the run's results. Raises Interrupted, once a checkpoint is kept, where `stop` was asked for."""
    storage = Storage(config.storage)
    config = config.model_copy(update={"output": storage.absolute(config.output)})
    storage.check_writable(config.output)
    with Lease(impatient(config.storage), config.output):
        given = assign(config, storage)
        if not storage.exists(join(config.output, SUCCESS)):
            stop.pulse()
            if not _start(given, progress, stop):
                stop.pulse()
                raise MhtError(
                    "the training stopped before its end, and nobody asked for it. Start it again."
                )
        return dict(json.loads(storage.read(join(config.output, RESULTS))))


def _start(given: Assignment, progress: ProgressLine, stop: StopRequest) -> bool:
    """Whether the run is finished, False when it was stopped."""
    if given.source.left_out:
        progress.say(f"left out of the data: {given.source.left_out}")
    if given.told is not None:
        progress.say(given.told)
    if given.config.run.ray:
        from mht.training.launch import launch

        return launch(given, progress, stop)
    from mht.training.here import run_here

    def tell(beat: Beat) -> bool:
        progress.show(beat)
        return stop.asked

    return run_here(given, tell, progress.say)


def summary(config: TrainConfig, found: Mapping[str, Any]) -> str:
    """The closing table: steps, loss, held-out figures before and after, speed, memory, where."""
    rows = {
        "steps": f"{found['steps']:,} on {found['samples']:,} samples about {found['images']:,} images",
        "trained": f"{found['trained_parameters']:,} of {found['parameters']:,} parameters",
        "loss": f"{found['loss_first']:.4f} -> {found['loss_last']:.4f}",
    }
    for name, before, after in held_out(found["validations"], found["steps"]):
        told = f"{after:.4f}" if before is None else f"{before:.4f} -> {after:.4f}"
        rows[f"held out: {name.replace('_', ' ')}"] = told
    rows |= {
        "time": f"{clock_face(found['seconds'])} ({found['samples_per_s']:,.1f} samples/s, "
        f"{found['tokens_per_s']:,.0f} tokens/s)",
        "memory": f"{size_face(found['memory_bytes'])} a worker, {found['workers']} of them, {found['device']}",
        "model": join(config.output, "model", MANIFEST),
    }
    return table(rows)
