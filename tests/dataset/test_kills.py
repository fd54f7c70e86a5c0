"""R1, R3, R4, R8: processes die at any moment, and the dataset is what it would have been."""

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import pytest

from mht.artifacts import SUCCESS
from tests.dataset.oracle import build_here, commits, common, rows_of, run_mht, start_mht, wait_for

MOMENTS = 24
BUILDS = 2


class Killer:
    """SIGKILLs one of this test's own Ray workers, or what a worker started, each time enough was committed."""

    def __init__(self, seed: int, kills: int, done: Callable[[], int], total: int) -> None:
        self.rng = random.Random(seed)
        # Not among the last: on a fast machine those are done before the next one may be killed.
        self.left = sorted((self.rng.randrange(total - 8) for _ in range(kills)), reverse=True)
        self.done = done
        self.killed: list[str] = []
        self.wait_until = 0.0

    def pulse(self) -> None:
        if not self.left or self.done() < self.left[-1] or time.monotonic() < self.wait_until:
            return
        victims = [process for process in psutil.Process().children(recursive=True) if _is_worker(process)]
        if not victims:
            return
        victim = self.rng.choice(victims)
        try:
            self.killed.append(_name(victim))
            victim.kill()
        except psutil.NoSuchProcess:
            return
        self.left.pop()
        # Not all at once: the next one should meet a worker that is at work again.
        self.wait_until = time.monotonic() + self.rng.uniform(0.02, 0.25)


def _name(process: psutil.Process) -> str:
    line = process.cmdline()
    return " ".join(line)[:60]


def _is_worker(process: psutil.Process) -> bool:
    try:
        line = " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
    return ("ray::" in line and "Worker" in line) or "ray::Watch" in line or "mht.imaging.child" in line


@pytest.fixture(scope="module")
def undisturbed_many(
    ray_cluster: None, many_phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    output = str(tmp_path_factory.mktemp("many-undisturbed") / "out")
    build_here(*common(many_phantoms, output, "build.workers=2"))
    return rows_of(output)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("build", range(BUILDS))
def test_r1_a_worker_dies_at_a_random_moment(
    build: int,
    many_phantoms: Path,
    undisturbed_many: dict[str, str],
    tmp_path: Path,
    ray_cluster: None,
) -> None:
    output = tmp_path / "out"
    killer = Killer(100 + build, MOMENTS // BUILDS, lambda: len(list(output.glob("commits/*/*.json"))), 40)
    build_here(*common(many_phantoms, output, "build.workers=3"), pulse=killer.pulse)
    print(f"seed {100 + build}: killed {killer.killed}")
    assert len(killer.killed) == MOMENTS // BUILDS
    assert rows_of(str(output)) == undisturbed_many


@pytest.mark.parametrize("moment", ["at the first commit", "at the fourth commit", "between data and commit"])
def test_r3_the_driver_dies_and_the_same_command_goes_on(
    moment: str, ray_cluster: None, phantoms: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = common(phantoms, output, "build.workers=2")
    driver = start_mht("build", *words)

    enough = 4 if moment == "at the fourth commit" else 1
    try:
        wait_for(lambda: len(commits(output)) >= enough, driver)
        workers = [one for one in psutil.Process(driver.pid).children(recursive=True) if _is_worker(one)]
    finally:
        driver.kill()
        driver.communicate()
    # The workers follow their driver within a moment, and may commit what they had in hand. Two agents of Ray's
    # look for their parent only now and then; they end by themselves.
    _, alive = psutil.wait_procs(workers, timeout=40)
    assert workers
    assert not alive, "workers outlive their driver"
    if moment == "between data and commit":
        # That moment is too short to be met by looking: one shard's record goes, as if it had never come.
        next(output.glob("commits/*/*.json")).unlink()
    before = commits(output)
    begun = {path.name.rpartition("-")[0] for path in output.glob("pairs/*.parquet")}
    said = _again(words, apart=moment == "at the fourth commit")
    assert rows_of(str(output)) == undisturbed
    after = commits(output)
    assert {name: after[name] for name in before} == before, "a committed shard was written again"
    assert len(begun - {name.removesuffix(".json") for name in before}) <= 2, "more than one shard a worker"
    if said is not None:
        assert f"{len(before)} of {len(after)} shards are committed" in said


def _again(words: Sequence[str], apart: bool) -> str | None:
    """The same command once more, in a process of its own, which tells what it said, or on the session's Ray."""
    if not apart:
        build_here(*words)
        return None
    again = run_mht("build", *words)
    assert again.returncode == 0, again.stderr
    return again.stderr


def test_r4_two_drivers_on_one_output(phantoms: Path, undisturbed: dict[str, str], tmp_path: Path) -> None:
    words = common(phantoms, tmp_path / "out", "build.workers=1")
    drivers = [start_mht("build", *words) for _ in range(2)]
    ends = [driver.communicate(timeout=500) for driver in drivers]
    codes = sorted(driver.returncode for driver in drivers)
    assert codes in ([0, 73], [0, 0]), ends
    if 73 in codes:
        loser = next(i for i, driver in enumerate(drivers) if driver.returncode == 73)
        assert f"being written by process {drivers[1 - loser].pid} on" in ends[loser][1]
    assert rows_of(str(tmp_path / "out")) == undisturbed


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_r8_a_request_to_stop_is_met_in_time_and_leaves_nothing_behind(
    number: int, code: int, ray_cluster: None, phantoms: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    words = common(phantoms, output, "build.workers=2")
    driver = start_mht("build", *words)
    wait_for(lambda: len(commits(output)) >= 2, driver)
    family = psutil.Process(driver.pid).children(recursive=True)
    began = time.monotonic()
    os.kill(driver.pid, number)
    _, err = driver.communicate(timeout=240)
    assert time.monotonic() - began < 15 * 3
    assert driver.returncode == code, err
    assert "The same command resumes" in err
    assert "Traceback" not in err
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive, [process.cmdline() for process in alive]
    assert not (output / SUCCESS).exists()
    _again(words, apart=number == signal.SIGINT)
    assert rows_of(str(output)) == undisturbed
