"""What the driver and the first rank write on for each other. Lives in an actor of its own, beside the driver."""

from __future__ import annotations

from mht.errors import MhtError
from mht.training.progress import Beat


class Board:
    """The newest beat, lines to say, how it ended, and whether it shall stop."""

    def __init__(self) -> None:
        self._beat: Beat | None = None
        self._lines: list[str] = []
        self._error: MhtError | None = None
        self._finished = False
        self._stop = False

    def tell(self, beat: Beat) -> bool:
        """Whether the run shall stop."""
        self._beat = beat
        return self._stop

    def say(self, line: str) -> None:
        self._lines.append(line)

    def fail(self, error: MhtError) -> None:
        """An error that another try would meet again; the first one counts."""
        self._error = self._error or error

    def finish(self) -> None:
        self._finished = True

    def stop(self) -> None:
        self._stop = True

    def look(self) -> tuple[Beat | None, list[str], MhtError | None, bool]:
        """(the newest beat, lines since the last look, an error, whether the run is finished)."""
        lines, self._lines = self._lines, []
        return self._beat, lines, self._error, self._finished
