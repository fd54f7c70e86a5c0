"""How much memory a tree of processes takes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mht.dataset.memory import MemoryGauge, tree_bytes

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="read from /proc")
MIB = 1 << 20
HOLD = """
import subprocess, sys
depth = int(sys.argv[1])
held = b"x" * (64 << 20)
child = subprocess.Popen([sys.executable, "-c", sys.argv[2], str(depth - 1), sys.argv[2]], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE) if depth else None
if child: child.stdout.readline()
print("ready", flush=True)
sys.stdin.read()
"""


def test_children_and_their_children_are_counted() -> None:
    before = tree_bytes()
    assert before is not None
    command = [sys.executable, "-c", HOLD, "1", HOLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        both, child = tree_bytes(), tree_bytes(process.pid)
    assert both is not None
    assert child is not None
    assert 2 * 64 * MIB < child < 300 * MIB
    assert both - before > 100 * MIB


def test_a_page_that_two_share_is_counted_once() -> None:
    """A forked child has its parent's 200 MiB, and they are there once."""
    held = b"x" * (200 * MIB)
    alone = tree_bytes()
    receive, send = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(send)
        os.read(receive, 1)
        os._exit(0)
    os.close(receive)
    with_child = tree_bytes()
    os.close(send)
    os.waitpid(pid, 0)
    assert alone is not None
    assert with_child is not None
    assert alone > len(held)
    assert with_child - alone < 100 * MIB


def test_a_process_that_is_gone_takes_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert tree_bytes(done.pid) == 0


def test_the_gauge_looks_now_and_then_and_keeps_the_peak() -> None:
    now = [0.0]
    gauge = MemoryGauge(clock=lambda: now[0], every_s=5.0)
    assert gauge.peak_bytes is None
    gauge.look()
    first = gauge.peak_bytes
    assert first is not None
    held = b"x" * (256 * MIB)
    now[0] = 4.9
    gauge.look()
    assert gauge.peak_bytes == first
    now[0] = 5.0
    gauge.look()
    peak = gauge.peak_bytes
    assert peak is not None
    assert peak - first > 200 * MIB
    del held
    now[0] = 10.0
    gauge.look()
    assert gauge.peak_bytes == peak


def test_a_gauge_that_is_slow_to_read_is_read_seldom() -> None:
    now, readings = [0.0], [0]

    def slow() -> int:
        now[0] += 0.1
        readings[0] += 1
        return readings[0]

    gauge = MemoryGauge(clock=lambda: now[0], every_s=5.0, measure=slow)
    while now[0] < 100:
        now[0] += 0.5
        gauge.look()
    assert readings[0] == 4  # 0.1 s of every 25
    assert gauge.peak_bytes == 4
