"""What a person sees while a build runs: one live line on a terminal, plain lines elsewhere, a table at the end."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from typing import TextIO

from mht.terminal import LiveLine, clock_face

_RATE_WINDOW_S = 20.0


class ProgressLine:
    """`pairs  4,250 / 10,000 images  312/s  42,117 pairs  17 quarantined  ETA 0:18`.

    A stage that asks a model shows its tokens/s and the requests that wait instead of pairs.
    """

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic, on: bool = True
    ) -> None:
        self._line = LiveLine(stream, clock, on)
        self._seen: deque[tuple[float, int, int]] = deque()
        self._stage, self._total, self._base = "", 0, 0

    def stage(self, name: str, total: int, base: int) -> None:
        """A new pass over `total` images, of which `base` were done by an earlier run."""
        self.clear()
        self._stage, self._total, self._base = name, total, base
        self._seen.clear()
        self._line.at_once()

    def show(self, images: int, pairs: int, quarantined: int, tokens: int = 0, waiting: int = 0) -> None:
        """The pass's own counts so far; drawn at most twice a second, or every 15 s without a terminal."""
        now = self._line.clock()
        self._seen.append((now, images, tokens))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_WINDOW_S:
            self._seen.popleft()
        if self._line.due():
            self._line.draw(self._told(images, pairs, quarantined, waiting))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._line.say(text)

    def clear(self) -> None:
        self._line.clear()

    def _told(self, images: int, pairs: int, quarantined: int, waiting: int) -> str:
        (first_s, first, early), (last_s, last, late) = self._seen[0], self._seen[-1]
        seconds = last_s - first_s
        rate = (last - first) / seconds if seconds > 0 else 0.0
        done = min(self._base + images, self._total)
        slow = 0 < rate < 10
        parts = [
            f"{self._stage:<8}  {done:,} / {self._total:,} images",
            f"{rate:,.1f}/s" if slow else f"{rate:,.0f}/s",
        ]
        if self._stage == "pairs":
            parts += [f"{pairs:,} pairs", f"{quarantined:,} quarantined"]
        if late:
            parts += [
                f"{(late - early) / seconds if seconds > 0 else 0:,.0f} tokens/s",
                f"{waiting:,} waiting",
            ]
        if rate > 0:
            parts.append(f"ETA {clock_face((self._total - done) / rate)}")
        return "  ".join(parts)
