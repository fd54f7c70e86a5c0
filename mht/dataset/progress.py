"""What a person sees while a build runs: one live line on a terminal, plain lines elsewhere, a table at the end."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TextIO

_LIVE_S = 0.5
_PLAIN_S = 15.0
_RATE_WINDOW_S = 20.0


class ProgressLine:
    """`pairs  4,250 / 10,000 images  312/s  42,117 pairs  17 quarantined  ETA 0:18`.

    A stage that asks a model shows its tokens/s and the requests that wait instead of pairs.
    """

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic, on: bool = True
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._on = on
        self._live = on and stream.isatty()
        self._last_s = float("-inf")
        self._width = 0
        self._seen: deque[tuple[float, int, int]] = deque()
        self._stage, self._total, self._base = "", 0, 0

    def stage(self, name: str, total: int, base: int) -> None:
        """A new pass over `total` images, of which `base` were done by an earlier run."""
        self.clear()
        self._stage, self._total, self._base = name, total, base
        self._seen.clear()
        self._last_s = float("-inf")

    def show(self, images: int, pairs: int, quarantined: int, tokens: int = 0, waiting: int = 0) -> None:
        """The pass's own counts so far; drawn at most twice a second, or every 15 s without a terminal."""
        now = self._clock()
        self._seen.append((now, images, tokens))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_WINDOW_S:
            self._seen.popleft()
        if not self._on or now - self._last_s < (_LIVE_S if self._live else _PLAIN_S):
            return
        self._last_s = now
        self._draw(self._line(images, pairs, quarantined, waiting))

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

    def _line(self, images: int, pairs: int, quarantined: int, waiting: int) -> str:
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

    def _draw(self, line: str) -> None:
        if self._live:
            self._stream.write("\r" + line + " " * max(0, self._width - len(line)))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()


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
