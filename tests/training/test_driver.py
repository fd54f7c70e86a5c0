"""The driver of a run on Ray: killed, asked to stop, started again, with another way of running. And a node lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.dataset.oracle import environment, start_mht, wait_for
from tests.model.processes import in_process, in_ranks
from tests.training import ranked
from tests.training.disturb import is_stored, ranks_below
from tests.training.test_launch import longer

pytestmark = pytest.mark.timeout(900)
OUT_S = 15
SLACK = 3
STEPS = 400
"""So many that a run is far from its end when the checkpoint that it is stopped at is stored."""


def test_r13_r8_a_driver_is_killed_then_stopped_then_goes_on_without_ray(
    given: list[str], tmp_path: Path
) -> None:
    whole, output = tmp_path / "whole", tmp_path / "run"
    assert in_process(ranked.leg, longer(given, whole, steps=STEPS))[0]
    words = longer(given, output, steps=STEPS)
    driver = start_mht("train", *words)
    tree = []
    try:
        wait_for(lambda: is_stored(output, 20), driver)
        tree = ranks_below(psutil.Process(driver.pid))
        driver.kill()
    finally:
        driver.kill()
        driver.communicate()
    _, alive = psutil.wait_procs(tree, timeout=30)
    assert tree
    assert alive == [], "nobody trains on without a driver"
    assert not (output / "_SUCCESS").exists()

    # Ranks go on a little without a driver, and may store more than was waited for.
    there = max(step for step in range(0, STEPS + 1, 10) if step == 0 or is_stored(output, step))
    assert there < STEPS / 2
    again = start_mht("train", *words)
    try:
        wait_for(lambda: is_stored(output, there + 10), again)
        tree = psutil.Process(again.pid).children(recursive=True)
        began = time.monotonic()
        again.send_signal(signal.SIGTERM)
        _, err = again.communicate(timeout=240)
    finally:
        again.kill()
        again.communicate()
    assert again.returncode == 143, err
    assert "stopped by SIGTERM; its last checkpoint is kept" in err
    assert time.monotonic() - began < OUT_S * SLACK
    _, alive = psutil.wait_procs(tree, timeout=10)
    assert alive == []

    found, progress = ranked.run_command([*words, "run.ray=false"])
    assert found is not None
    [said] = [line for line in progress.lines if line.startswith("going on from step")]
    assert int(said.split()[4]) >= there + 10
    assert ranked.losses_of(output) == ranked.losses_of(whole)


def test_a_node_is_lost_and_the_losses_are_the_undisturbed_run_s(given: list[str], tmp_path: Path) -> None:
    whole, output = tmp_path / "whole", tmp_path / "run"
    assert all(finished for finished, _ in in_ranks(2, ranked.leg, longer(given, whole)))
    words = longer(given, output, "run.workers=2", "run.cpus_per_worker=2")
    ended = subprocess.run(
        [sys.executable, "-m", "tests.training.lose_node", *words],
        env=environment(), capture_output=True, text=True, timeout=800, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    figures = json.loads(ended.stdout.splitlines()[-1])
    print(f"figures: {figures}")
    assert (figures["nodes"], figures["nodes_left"], figures["ranks_lost"]) == (4, 3, 1)
    assert figures["resumes"] == 1
    assert ranked.losses_of(output) == ranked.losses_of(whole)
