"""What every contestant of benchmarks/train.py is told, what it measures of itself, and what it tells.

Nothing here needs more than the standard library: TRL's contestant runs in an environment of its own.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WARM_STEPS = 2
"""Steps that are not timed: the first ones find their buffers."""


@dataclass(frozen=True, slots=True)
class Told:
    """A contestant's command line. `how` is which of its ways a contestant is to take, where it has several."""

    folder: Path
    how: str
    threads: int
    rate: float
    table: list[list[dict[str, str]]]
    """The samples of each step, in order: image (a path), question, answer."""

    @property
    def model(self) -> Path:
        return self.folder / "model"

    @property
    def adapter(self) -> Path:
        """LoRA as it begins, the same for all."""
        return self.folder / "adapter"


def read_words(words: Sequence[str] | None = None) -> Told:
    parser = argparse.ArgumentParser(description="One contestant of benchmarks/train.py.")
    parser.add_argument("--folder", type=Path, required=True, help="model, adapter, images and steps.json")
    parser.add_argument("--how", default="packed")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rate", type=float, default=1e-3, help="learning rate")
    given = parser.parse_args(words)
    table = json.loads((given.folder / "steps.json").read_text())
    return Told(given.folder, given.how, given.threads, given.rate, table)


@dataclass(slots=True)
class Meter:
    """Loss, seconds and CPU seconds of each step, and how far memory rose above what the model took.

    Call `begin` when the model is there and before the first step, `step` behind each.
    """

    losses: list[float] = field(default_factory=list)
    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)
    start_kib: int = 0

    def begin(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")
        self.start_kib = _status_kib("VmRSS")
        self._mark()

    def step(self, loss: float) -> None:
        self.losses.append(loss)
        self._mark()

    def _mark(self) -> None:
        self.walls.append(time.perf_counter())
        self.cpus.append(time.process_time())

    def tell(self, samples: Sequence[int], **more: Any) -> None:
        """The line that a contestant ends with. `samples` of each step."""
        timed = sum(samples[WARM_STEPS:])
        peak_kib = _status_kib("VmHWM")
        told = {
            "losses": self.losses,
            "samples": timed,
            "wall_s": self.walls[-1] - self.walls[WARM_STEPS],
            "cpu_s": self.cpus[-1] - self.cpus[WARM_STEPS],
            "peak_mib": peak_kib / 1024,
            "rise_mib": (peak_kib - self.start_kib) / 1024,
        }
        print(json.dumps(told | more), flush=True)


def _status_kib(name: str) -> int:
    return next(
        int(line.split()[1])
        for line in Path("/proc/self/status").read_text().splitlines()
        if line.startswith(name)
    )


def by_image(step: Sequence[dict[str, str]]) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Samples that stand together about one image."""
    rows: dict[str, list[dict[str, str]]] = {}
    for sample in step:
        rows.setdefault(sample["image"], []).append(sample)
    yield from rows.items()
