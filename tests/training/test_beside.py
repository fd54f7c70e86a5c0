"""A tracker that fails or hangs ends nothing and holds nothing up; a run goes on while its store is away (R16)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mht.errors import StorageOutage
from mht.training.beside import Beside
from tests.model.stores import Watched
from tests.training import ranked
from tests.training.test_tracking import events


class Fragile:
    """A tracker that fails or waits where it is told to."""

    def __init__(self) -> None:
        self.logged: list[int] = []
        self.kept = 0
        self.closed = False
        self.fails = False
        self.goes_on = threading.Event()
        self.goes_on.set()

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self.logged.append(step)

    def keep(self) -> None:
        self.goes_on.wait()
        if self.fails:
            raise StorageOutage("the store is away")
        self.kept += 1

    def close(self) -> None:
        self.closed = True


def test_what_fails_is_said_once_and_tried_again() -> None:
    fragile, said = Fragile(), list[str]()
    beside = Beside(lambda: fragile, said.append)
    fragile.fails = True
    for step in range(3):
        beside.log(step, {"loss": 1.0})
        beside.keep()
    wait_for(lambda: fragile.logged == [0, 1, 2])
    fragile.fails = False
    beside.close()
    assert said == ["Fragile misses figures: the store is away"]
    assert (fragile.logged, fragile.kept > 0, fragile.closed) == ([0, 1, 2], True, True)


def test_what_hangs_holds_nobody_up() -> None:
    fragile = Fragile()
    beside = Beside(lambda: fragile, pytest.fail, close_s=0.05)
    fragile.goes_on.clear()
    for step in range(1000):
        beside.keep()
        beside.log(step, {"loss": 1.0})
    beside.close()
    assert not fragile.closed
    fragile.goes_on.set()
    wait_for(lambda: fragile.closed)
    assert fragile.logged == list(range(1000))
    assert fragile.kept <= 3, "it was kept once for all that was asked meanwhile"


def test_a_tracker_that_cannot_be_made_is_told_at_once() -> None:
    def refused() -> Fragile:
        raise ConnectionError("no such server")

    with pytest.raises(ConnectionError, match="no such server"):
        Beside(refused, pytest.fail)


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + 300
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


class Away:
    """A store that fails the first `times` writes below each of these folders of a run."""

    def __init__(self, times: int, *folders: str) -> None:
        self._left = dict.fromkeys(folders, times)

    def __call__(self, uri: str) -> None:
        for folder in self._left:
            if f"/{folder}/" in uri and self._left[folder] > 0:
                self._left[folder] -= 1
                raise StorageOutage(f"{uri!r} at write: the store failed for 600 s")


@pytest.fixture
def words(given: list[str], tmp_path: Path) -> list[str]:
    """A run of eight steps with a checkpoint after each."""
    taken = ("checkpoints", "validation", "epochs")
    usual = [word for word in given if not word.startswith(taken)]
    output = f"output={tmp_path / 'run'}"
    return [
        *usual,
        output,
        "run.ray=false",
        "validation.rows=0",
        "epochs=2",
        "max_steps=8",
        "checkpoints.every_steps=1",
    ]


def run_on(store: Callable[[str], None], words: list[str]) -> tuple[bool, list[str]]:
    """(whether the run is finished, what it said) where its rank meets this store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mht.training.rank.Storage", lambda params: Watched(store))
        found, progress = ranked.run_command(words)
    return found is not None, progress.lines


@pytest.mark.parametrize("folder", ["checkpoints", "tensorboard"])
def test_r16_a_run_goes_on_where_two_writes_fail(words: list[str], tmp_path: Path, folder: str) -> None:
    finished, said = run_on(Away(2, folder), words)
    assert finished
    assert any("the store failed for 600 s" in line for line in said)
    assert (tmp_path / "run" / "checkpoints" / "00000008" / "MANIFEST.json").exists()
    drawn = {step for step, _, _ in events(tmp_path / "run" / "tensorboard")}
    assert drawn == set(range(1, 9)), "what was missed is kept with the next"


def test_r16_curves_that_are_never_kept_end_nothing(words: list[str]) -> None:
    finished, said = run_on(Away(10**6, "tensorboard"), words)
    assert finished
    assert any("TensorBoard misses figures" in line for line in said)


def test_r16_three_checkpoints_in_a_row_end_it_with_the_reason(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(StorageOutage, match=r"3 checkpoints in a row could not be stored.*failed for 600 s"):
        run_on(Away(10**6, "checkpoints", "tensorboard"), words)
    assert not (tmp_path / "run" / "_SUCCESS").exists()
