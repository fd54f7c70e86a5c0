"""How work is shown on a terminal: one live line that is drawn again, figures as people write them, a closing table."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

_LIVE_S = 0.5
_PLAIN_S = 15.0


class LiveLine:
    """One line that is drawn again on a terminal, at most twice a second; plain lines every 15 s elsewhere."""

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic, on: bool = True
    ) -> None:
        self._stream = stream
        self.clock = clock
        self._on = on
        self._live = on and stream.isatty()
        self._last_s = float("-inf")
        self._width = 0

    def due(self) -> bool:
        """Whether a line drawn now would be seen; once it says so, the next one waits."""
        now = self.clock()
        if not self._on or now - self._last_s < (_LIVE_S if self._live else _PLAIN_S):
            return False
        self._last_s = now
        return True

    def at_once(self) -> None:
        """Let the next line be due whenever it comes."""
        self._last_s = float("-inf")

    def draw(self, line: str) -> None:
        if self._live:
            self._stream.write("\r" + line + " " * max(0, self._width - len(line)))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def say(self, text: str) -> None:
        """A line that stays."""
        self.clear()
        if self._on:
            print(text, file=self._stream, flush=True)

    def clear(self) -> None:
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


def clock_face(seconds: float) -> str:
    """`0:07`, `12:30`, `3:04:05`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    face = f"{rest // 60}:{rest % 60:02d}"
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}" if hours else face


def size_face(size: float) -> str:
    """`812 B`, `4.2 MiB`, `1.7 GiB`."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1024
    raise AssertionError


def table(rows: Mapping[str, str]) -> str:
    """Two columns, the first as wide as its widest word."""
    width = max(map(len, rows))
    return "\n".join(f"  {key:<{width}}  {value}" for key, value in rows.items())
