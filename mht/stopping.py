"""Ctrl-C, SIGTERM and a spot notice as one request to stop, raised where the driver can let go cleanly."""

from __future__ import annotations

import signal
from types import FrameType, TracebackType

from mht.errors import Interrupted


class StopRequest:
    """A context in which the first signal is noted, and `pulse` raises Interrupted for it; a second one is at once."""

    def __init__(self, kept: str) -> None:
        """`kept` says in a few words what a stopped run does not lose."""
        self._kept = kept
        self._signal: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    def __enter__(self) -> StopRequest:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @property
    def asked(self) -> bool:
        """Whether a signal has come."""
        return self._signal is not None

    def pulse(self) -> None:
        """Raises Interrupted once a signal has come; its exit code is the shell's for that signal."""
        if self._signal is not None:
            error = Interrupted(f"stopped by {self._signal.name}; {self._kept}. The same command resumes.")
            error.exit_code = 128 + self._signal
            raise error

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._signal is not None:
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)
