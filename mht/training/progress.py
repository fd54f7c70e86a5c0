"""What a person sees while a model is trained: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TextIO

from mht.terminal import LiveLine, clock_face, size_face

_RATE_WINDOW_S = 30.0


@dataclass(frozen=True, slots=True)
class Beat:
    """How far a run is. `exchanges` and `tokens` are of all its steps so far, `utilisation` is a share or None.

    `checked` is given before the first step: of how many steps the rows have been looked at. `validated` is given
    between steps: of which share of the held-out rows the loss is known.
    """

    step: int
    total: int
    epoch: int
    loss: float
    exchanges: int
    tokens: int
    memory_bytes: int
    utilisation: float | None
    checked: int | None = None
    validated: float | None = None


class ProgressLine:
    """`train  120 / 900 steps  epoch 2  loss 0.8123  214 samples/s  10,123 tokens/s  12.3 GiB  MFU 41 %  ETA 3:12`.

    A sample is an exchange: a question with its answer.
    """

    def __init__(
        self, stream: TextIO = sys.stderr, clock: Callable[[], float] = time.monotonic, on: bool = True
    ) -> None:
        self._line = LiveLine(stream, clock, on)
        self._seen: deque[tuple[float, Beat]] = deque()

    def show(self, beat: Beat) -> None:
        """The newest figures; a step that goes back is a resume, and rates are measured anew."""
        if beat.checked is not None:
            if self._line.due():
                self._line.draw(f"checking rows  {beat.checked:,} / {beat.total:,} steps")
            return
        if beat.validated is not None:
            if self._line.due():
                self._line.draw(
                    f"train  {beat.step:,} / {beat.total:,} steps  held-out rows {beat.validated:.0%}"
                )
            return
        now = self._line.clock()
        if self._seen and self._seen[-1][1].step > beat.step:
            self._seen.clear()
        self._seen.append((now, beat))
        while len(self._seen) > 2 and now - self._seen[0][0] > _RATE_WINDOW_S:
            self._seen.popleft()
        if self._line.due():
            self._line.draw(self._told(beat))

    def say(self, text: str) -> None:
        """A line that stays."""
        self._line.say(text)

    def clear(self) -> None:
        self._line.clear()

    def _told(self, beat: Beat) -> str:
        (first_s, first), (last_s, last) = self._seen[0], self._seen[-1]
        seconds = last_s - first_s
        parts = [
            f"train  {beat.step:,} / {beat.total:,} steps",
            f"epoch {beat.epoch + 1}",
            f"loss {beat.loss:.4f}",
        ]
        if seconds > 0 and last.step > first.step:
            parts += [
                f"{(last.exchanges - first.exchanges) / seconds:,.1f} samples/s",
                f"{(last.tokens - first.tokens) / seconds:,.0f} tokens/s",
            ]
        parts.append(size_face(beat.memory_bytes))
        if beat.utilisation is not None:
            parts.append(f"MFU {beat.utilisation:.0%}")
        if seconds > 0 and last.step > first.step:
            parts.append(f"ETA {clock_face((beat.total - beat.step) * seconds / (last.step - first.step))}")
        return "  ".join(parts)
