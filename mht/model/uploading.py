"""One piece of work beside the training, and what came of it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from mht.errors import MhtError


class Upload:
    """Runs `work` in a thread that does not keep the process alive.

    `work` returns the error of ours that the upload ended with on some rank, or None; what it raises is raised by
    `outcome`.
    """

    def __init__(self, step: int, work: Callable[[], MhtError | None]) -> None:
        self.step = step
        self._work = work
        self._outcome: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=f"checkpoint-{step}", daemon=True)
        self._thread.start()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Whether it is done, after at most so many seconds (None: when it is)."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def outcome(self) -> MhtError | None:
        """The error that it ended with, when it is done."""
        self.wait()
        if self._outcome is None or isinstance(self._outcome, MhtError):
            return self._outcome
        raise self._outcome

    def _run(self) -> None:
        try:
            self._outcome = self._work()
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that trains
            self._outcome = error
