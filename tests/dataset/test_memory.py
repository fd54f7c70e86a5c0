"""How much memory a tree of processes takes."""

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


def alone(code: str) -> list[int]:
    """The numbers that a process of its own prints: others come and go below that of the tests."""
    script = "import os, subprocess, sys\nfrom mht.dataset.memory import tree_bytes\n" + code
    done = subprocess.run([sys.executable, "-c", script, HOLD], capture_output=True, text=True, check=True)
    return [int(word) for word in done.stdout.split()]


def test_children_and_their_children_are_counted() -> None:
    code = """
before = tree_bytes()
command = [sys.executable, "-c", sys.argv[1], "1", sys.argv[1]]
with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
    process.stdout.readline()
    print(before, tree_bytes(), tree_bytes(process.pid))
"""
    before, both, child = alone(code)
    assert 2 * 64 * MIB < child < 300 * MIB
    assert both - before > 100 * MIB


def test_a_page_that_two_share_is_counted_once() -> None:
    """A forked child has its parent's 200 MiB, and they are there once."""
    code = """
held = b"x" * (200 << 20)
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
print(alone, with_child)
"""
    before, with_child = alone(code)
    assert before > 200 * MIB
    assert with_child - before < 100 * MIB


def test_a_process_that_is_gone_takes_nothing() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    assert tree_bytes(done.pid) == 0


def test_the_gauge_looks_now_and_then_and_keeps_the_peak() -> None:
    now, takes = [0.0], [100]
    gauge = MemoryGauge(clock=lambda: now[0], every_s=5.0, measure=lambda: takes[0])
    assert gauge.peak_bytes is None
    for at, bytes_now, peak in [(0.0, 100, 100), (4.9, 300, 100), (5.0, 300, 300), (10.0, 200, 300)]:
        now[0], takes[0] = at, bytes_now
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
