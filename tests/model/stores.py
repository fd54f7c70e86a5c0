"""A storage on which a test decides what becomes of each change."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from mht.errors import StorageOutage
from mht.storage import Storage, StorageParams


class Watched(Storage):
    """Calls `before` with what is about to be written, created or deleted; it may raise, wait or kill."""

    def __init__(self, before: Callable[[str], None]) -> None:
        super().__init__(StorageParams())
        self._before = before

    def write(self, uri: str, data: bytes) -> None:
        self._before(uri)
        super().write(uri, data)

    def create(self, uri: str, data: bytes) -> bool:
        self._before(uri)
        return super().create(uri, data)

    def delete(self, uri: str) -> None:
        self._before(uri)
        super().delete(uri)


class Outage:
    """Refuses every change of a step's folder while the step is in `steps`."""

    def __init__(self, *steps: int) -> None:
        self.steps = set(steps)

    def __call__(self, uri: str) -> None:
        if any(f"/{step:08d}/" in uri for step in self.steps):
            raise StorageOutage(f"{uri!r} at write: the store failed for 600 s")


class Gate:
    """Holds every change back until it is opened, and says when the first has come."""

    def __init__(self) -> None:
        self.reached = threading.Event()
        self.opened = threading.Event()

    def __call__(self, uri: str) -> None:
        self.reached.set()
        assert self.opened.wait(60)


class Killer:
    """Kills this process before its n-th change, counted from when it is armed."""

    def __init__(self, n: int) -> None:
        self.armed = False
        self._left = n
        self._lock = threading.Lock()

    def __call__(self, uri: str) -> None:
        with self._lock:
            self._left -= self.armed
            if self.armed and self._left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
