"""A program that is measured: started in a session of its own, its CPU time followed, killed with all below it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.machine import ROOT

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
_LOOK_S = 0.25
Who = tuple[int, int]


class Failed(Exception):
    """A program ended badly; the message holds the end of what it printed."""


@dataclass(frozen=True, slots=True)
class Ended:
    """`told` is the JSON of its last line, empty where it was killed; `cpu_s` over it and all it started."""

    spawned: float
    exited: float
    cpu_s: float
    killed: bool
    told: dict[str, Any]


class Tree:
    """The processes below one, and the CPU seconds that each had when it was last seen."""

    def __init__(self, root_pid: int) -> None:
        self._root = root_pid
        self._seen: dict[Who, float] = {}

    def look(self) -> None:
        found = _processes()
        ours = {pid for pid, start in self._seen if pid in found and found[pid][1] == start} | {self._root}
        grown = True
        while grown:
            below = {pid for pid, (parent, _, _) in found.items() if parent in ours and pid not in ours}
            ours |= below
            grown = bool(below)
        self._seen |= {(pid, found[pid][1]): found[pid][2] for pid in ours if pid in found}

    def cpu_s(self) -> float:
        return sum(self._seen.values())

    def kill(self) -> None:
        """SIGKILL to every process that was ever seen below the root and is still the same one."""
        for _ in range(20):
            self.look()
            found = _processes()
            alive = [pid for pid, start in self._seen if pid in found and found[pid][1] == start]
            if not alive:
                return
            for pid in alive:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            time.sleep(0.1)


def _processes() -> dict[int, tuple[int, int, float]]:
    """pid -> (parent, start in ticks, CPU seconds); without the dead that wait for their parent."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it ended meanwhile
        if fields[0] != "Z":
            found[int(entry)] = (
                int(fields[1]),
                int(fields[19]),
                (int(fields[11]) + int(fields[12])) * _TICK_S,
            )
    return found


def stop_cleanly() -> None:
    """Let SIGTERM end this process the way Ctrl-C does, so that what it started is ended, too."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def run(command: Sequence[str], kill_when: Callable[[float], bool] | None = None) -> Ended:
    """Run to the end, or until `kill_when` (asked with the seconds since the start); raises Failed for a bad end."""
    # A short path: Ray puts sockets below it. Its own, so that nothing is left of a killed one.
    with (
        tempfile.TemporaryDirectory(prefix="mht-bench-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        tempfile.TemporaryFile("w+") as printed,
        tempfile.TemporaryFile("w+") as said,
    ):
        spawned = time.time()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=_environment(folder),
            stdout=printed,
            stderr=said,
            start_new_session=True,
        )
        tree = Tree(process.pid)
        killed = False
        try:
            while process.poll() is None:
                tree.look()
                if kill_when is not None and kill_when(time.time() - spawned):
                    killed = True
                    break
                time.sleep(_LOOK_S if kill_when is None else 0.05)
        finally:
            tree.kill()
            process.wait()
        exited = time.time()
        printed.seek(0)
        said.seek(0)
        lines = printed.read().strip().splitlines()
        if killed:
            return Ended(spawned, exited, tree.cpu_s(), True, {})
        if process.returncode:
            raise Failed(f"{' '.join(command)} ended with {process.returncode}\n{said.read()[-3000:]}")
        return Ended(spawned, exited, tree.cpu_s(), False, _told(lines))


def _told(lines: Sequence[str]) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(lines[-1])
        return told
    except (IndexError, ValueError):
        return {}


def _environment(folder: str) -> dict[str, str]:
    mine = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    return mine | {"RAY_AUTH_MODE": "disabled", "RAY_TMPDIR": folder, "PYTHONPATH": str(ROOT)}


def tree_size(folder: Path) -> int:
    """Bytes of all files below a folder that may be changing."""
    total = 0
    for base, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(base, name)).st_size
            except OSError:
                continue  # it was renamed meanwhile
    return total
