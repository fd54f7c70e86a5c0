"""Actors that hold a model die in the middle: nothing is lost, and nothing but the shards in hand is asked again."""

import random
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.dataset.asked.model import Model, served
from tests.dataset.asked.test_build import some_phantoms, words
from tests.dataset.oracle import build_here, rows_of

__all__ = ["some_phantoms"]
SHARD = 15


class Killer:
    """SIGKILLs one of the two actors each time that enough calls were made."""

    def __init__(self, calls: Callable[[], int], moments: list[int]) -> None:
        self._calls = calls
        self._moments = moments
        self._rng = random.Random(5)
        self.killed = 0

    def pulse(self) -> None:
        if self.killed < len(self._moments) and self._calls() >= self._moments[self.killed]:
            victims = [p for p in psutil.Process().children(recursive=True) if _holds_a_model(p)]
            if victims:
                self._rng.choice(victims).kill()
                self.killed += 1


def _holds_a_model(process: psutil.Process) -> bool:
    try:
        return "ray::MapWorker" in " ".join(process.cmdline())
    except psutil.Error:
        return False


@pytest.mark.usefixtures("ray_cluster")
def test_two_actors_die_while_the_images_are_described(some_phantoms: Path, tmp_path: Path) -> None:
    with served(Model()) as model:
        shards = f"build.shard_images={SHARD}"
        build_here(*words(some_phantoms, tmp_path / "undisturbed", model, shards, "engines.eye.replicas=2"))
        wanted = rows_of(str(tmp_path / "undisturbed"))
    with served(Model()) as model:
        model.delay_s = 0.05
        killer = Killer(lambda: model.calls["caption"], [20, 60])
        setup = words(
            some_phantoms,
            tmp_path / "out",
            model,
            shards,
            "engines.eye.replicas=2",
            "engines.eye.concurrency=2",
        )
        began = time.monotonic()
        build_here(*setup, pulse=killer.pulse)
        assert killer.killed == 2, f"the build was over in {time.monotonic() - began:.1f} s"
        assert rows_of(str(tmp_path / "out")) == wanted
        assert len(model.prompts) == 120
        again = sum(times - 1 for times in model.prompts.values())
        # Each death costs the shard in hand; the calls of the one that was cut short count as well.
        assert again <= 2 * SHARD
        assert max(model.prompts.values()) <= 3
