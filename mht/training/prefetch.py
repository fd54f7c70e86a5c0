"""Jobs read and prepared beside the training, by a thread of the same process."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from mht.training.jobs import Job

_END = object()
_LOOK_S = 0.2


def fed(jobs: Iterable[Job], prepare: Callable[[Job], Any], ahead: int) -> Iterator[tuple[int, int, Any]]:
    """(step, epoch, what `prepare` made of the job) in order, `ahead` of them ready at most.

    An error of `prepare` is raised here, in its turn. Closing the iterator ends the thread.
    """
    ready: queue.Queue[Any] = queue.Queue(ahead)
    closed = threading.Event()

    def put(item: object) -> None:
        while not closed.is_set():
            try:
                return ready.put(item, timeout=_LOOK_S)
            except queue.Full:
                continue

    def work() -> None:
        try:
            for job in jobs:
                put((job.step, job.epoch, prepare(job)))
                if closed.is_set():
                    return
            put(_END)
        except BaseException as error:  # noqa: BLE001 - carried over to the thread that trains, and raised there
            put(error)

    thread = threading.Thread(target=work, name="feed", daemon=True)
    thread.start()
    try:
        while (item := ready.get()) is not _END:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        closed.set()
        thread.join(timeout=10)
