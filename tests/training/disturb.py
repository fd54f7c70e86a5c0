"""Something goes wrong in mid-training: at an event, such as the k-th checkpoint, and never after a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil


def ranks_below(process: psutil.Process) -> list[psutil.Process]:
    """The processes of Ray Train's workers among the descendants of a process."""
    found = []
    for one in process.children(recursive=True):
        try:
            if "RayTrainWorker" in " ".join(one.cmdline()):
                found.append(one)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def is_stored(output: Path, step: int) -> bool:
    """Whether a checkpoint of this step or a later one is whole."""
    return any(int(path.parent.name) >= step for path in output.glob("checkpoints/*/MANIFEST.json"))


def is_under_way(output: Path, step: int) -> bool:
    """Whether a checkpoint of this step or a later one was begun."""
    return any(int(path.name) >= step for path in output.glob("checkpoints/*") if path.name.isdigit())


class Disturbances:
    """Things that are done one after another, each when its moment has come, in a thread of their own."""

    def __init__(self, todo: Sequence[tuple[Callable[[], bool], Callable[[], int]]]) -> None:
        self._todo = todo
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.done: list[int] = []
        """What each gave."""

    def __enter__(self) -> Disturbances:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        for when, do in self._todo:
            while not when():
                if self._over.is_set():
                    return
                time.sleep(0.02)
            self.done.append(do())


def kill(processes: Sequence[psutil.Process]) -> int:
    """SIGKILL; how many there were. One that is gone meanwhile is as dead as the others."""
    for one in processes:
        with suppress(psutil.NoSuchProcess):
            one.kill()
    return len(processes)
