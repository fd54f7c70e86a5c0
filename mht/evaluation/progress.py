"""What a person sees while a model is asked: `answers  1,280 / 4,000 questions  31/s  812 tokens/s  12 waiting`."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from mht.terminal import LiveLine, clock_face

_RATE_WINDOW_S = 30.0


class ProgressLine:
    """One live line on a terminal, plain lines elsewhere."""

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic, on: bool = True
    ) -> None:
        self._line = LiveLine(stream, clock, on)
        self._seen: deque[tuple[float, int, int]] = deque()
        self._total, self._base = 0, 0
        self._what, self._of = "", ""

    def begin(self, total: int, base: int, what: str = "answers", of: str = "questions") -> None:
        """`total` questions, of which `base` were answered by an earlier run; or replies, and judged."""
        self.clear()
        self._what, self._of = what, of
        self._total, self._base = total, base
        self._seen.clear()
        self._line.at_once()

    def show(self, questions: int, tokens: int, waiting: int) -> None:
        """The counts so far."""
        now = self._line.clock()
        self._seen.append((now, questions, tokens))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_WINDOW_S:
            self._seen.popleft()
        if self._line.due():
            self._line.draw(self._told(questions, waiting))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._line.say(text)

    def clear(self) -> None:
        self._line.clear()

    def _told(self, questions: int, waiting: int) -> str:
        (first_s, first, early), (last_s, last, late) = self._seen[0], self._seen[-1]
        seconds = last_s - first_s
        rate = (last - first) / seconds if seconds > 0 else 0.0
        done = min(self._base + questions, self._total)
        parts = [f"{self._what}  {done:,} / {self._total:,} {self._of}", f"{rate:,.1f}/s"]
        if late:
            speed = (late - early) / seconds if seconds > 0 else 0.0
            parts += [f"{speed:,.0f} tokens/s", f"{waiting:,} waiting"]
        if rate > 0:
            parts.append(f"ETA {clock_face((self._total - done) / rate)}")
        return "  ".join(parts)
