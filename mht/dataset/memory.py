"""How much memory this build takes, over the driver and everything below it, each shared page counted once."""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Callable


def tree_bytes(root_pid: int | None = None) -> int | None:
    """Proportional set size of a process and its descendants in bytes; None where there is no /proc.

    Proportional (PSS), because Ray's workers share their libraries and its object store: plain resident sizes
    would count those pages once a process.
    """
    if not os.path.isdir("/proc/self"):
        return None
    children = _children()
    todo, total = [root_pid or os.getpid()], 0
    while todo:
        pid = todo.pop()
        total += _pss_bytes(pid)
        todo += children[pid]
    return total


def _children() -> dict[int, list[int]]:
    children: dict[int, list[int]] = defaultdict(list)
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", "rb") as file:
                    parent = int(file.read().rpartition(b")")[2].split()[1])
            except OSError:
                continue  # it ended meanwhile
            children[parent].append(int(entry))
    return children


def _pss_bytes(pid: int) -> int:
    try:
        with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
            for line in file:
                if line.startswith(b"Pss:"):
                    return int(line.split()[1]) << 10
    except OSError:
        pass  # it ended meanwhile
    return 0


_SHARE = 0.004
"""Of the time, what the gauge may take: adding up the pages of a dozen processes takes 30 to 90 ms."""


class MemoryGauge:
    """The peak of `tree_bytes`, looked at every `every_s`, or seldomer where a look takes long.

    `peak_bytes` is None where it cannot be read.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        every_s: float = 5.0,
        measure: Callable[[], int | None] = tree_bytes,
    ) -> None:
        self._clock = clock
        self._every_s = every_s
        self._measure = measure
        self._next_s = float("-inf")
        self.peak_bytes: int | None = None

    def look(self) -> None:
        began = self._clock()
        if began < self._next_s:
            return
        found = self._measure()
        self._next_s = began + max(self._every_s, (self._clock() - began) / _SHARE)
        if found is not None:
            self.peak_bytes = max(self.peak_bytes or 0, found)
