"""Training on Ray: workers killed one by one and all at once, what is wrong with the data told once, no room told."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from mht.errors import ConfigError, InputError
from mht.training import launch
from mht.training.progress import Beat, ProgressLine
from tests.dataset.small import write_dataset
from tests.model.processes import in_ranks
from tests.training import ranked
from tests.training.disturb import Disturbances, is_stored, is_under_way, kill, ranks_below

pytestmark = pytest.mark.timeout(900)
TOTAL = 80


@pytest.fixture(scope="module")
def undisturbed(given: list[str], tmp_path_factory: pytest.TempPathFactory) -> list[float]:
    """The losses of two ranks without Ray."""
    output = tmp_path_factory.mktemp("undisturbed") / "run"
    assert all(finished for finished, _ in in_ranks(2, ranked.leg, longer(given, output)))
    return ranked.losses_of(output)


def longer(given: list[str], output: Path, *words: str, steps: int = TOTAL) -> list[str]:
    """A run of so many steps, five an epoch, with a checkpoint every ten."""
    usual = [f"epochs={steps // 5}", "checkpoints.every_steps=10", "validation.rows=0"]
    taken = {word.partition("=")[0] for word in usual}
    return [*(w for w in given if w.partition("=")[0] not in taken), *usual, f"output={output}", *words]


def test_r13_workers_are_killed_and_the_losses_are_the_undisturbed_run_s(
    ray_cluster: None, given: list[str], undisturbed: list[float], tmp_path: Path
) -> None:
    output, seed = tmp_path / "run", random.randrange(1 << 32)
    print(f"seed {seed}")
    me = psutil.Process()
    todo = [
        (lambda: is_stored(output, 20), lambda: kill(random.Random(seed).sample(ranks_below(me), 1))),
        (lambda: is_under_way(output, 50), lambda: kill(ranks_below(me))),
    ]
    with Disturbances(todo) as disturbances:
        found, progress = ranked.run_command(longer(given, output, "run.workers=2"))
    assert disturbances.done == [1, 2]
    assert found is not None
    assert ranked.losses_of(output) == undisturbed
    assert len(undisturbed) == TOTAL
    said = [line for line in progress.lines if line.startswith("going on from step")]
    assert len(said) == 2
    assert "of 80" in said[0]


def test_a_row_that_cannot_be_learnt_is_told_once_and_by_name(
    ray_cluster: None, given: list[str], tmp_path: Path
) -> None:
    def spoilt(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**pair, "answer": "<image>"} if pair["pair_id"][15] == "b" else pair for pair in pairs]

    write_dataset(str(tmp_path / "data"), change=spoilt)
    words = [word for word in given if not word.startswith(("data.path", "validation.rows"))]
    words += [f"data.path={tmp_path / 'data'}", "validation.rows=0", f"output={tmp_path / 'run'}"]
    words += ["run.max_unlearnable=0"]
    with pytest.raises(InputError, match=r"exchange 000000000000000b-.*special token"):
        ranked.run_command(words)
    assert not (tmp_path / "run" / "_SUCCESS").exists()


class Unhurried(launch._Fit):
    """A fit without Ray that ends when it is told to, or after half a minute; a beat was all that came of it."""

    def __init__(self, beat: Beat | None) -> None:
        self.ends = threading.Event()
        self._failure = None
        self._thread = threading.Thread(target=self.ends.wait, args=(30,), daemon=True)
        self._board = SimpleNamespace(look=Remote((beat, [], None, False)), stop=Remote(None))


class Remote:
    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def remote(self) -> Any:
        return self._answer


LOOKED = Beat(0, 10, 0, 0.0, 0, 0, 0, None, checked=7)
VALIDATED = Beat(0, 10, 0, 0.0, 0, 0, 0, None, validated=0.5)


@pytest.mark.parametrize("beat", [None, LOOKED, VALIDATED], ids=["nothing", "rows", "validation"])
def test_before_its_first_step_a_run_is_not_waited_for(
    beat: Beat | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ray.get", lambda answer: answer)
    monkeypatch.setattr(launch, "_STARTING_S", 0.1)
    stop = ranked.Stop()
    stop.asked = True
    fit = Unhurried(beat)
    assert not fit.follow(ProgressLine(on=False), stop)  # type: ignore[arg-type]
    assert fit._thread.is_alive()
    fit.ends.set()


def test_after_its_first_step_a_run_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ray.get", lambda answer: answer)
    monkeypatch.setattr(launch, "_STARTING_S", 0.1)
    stop = ranked.Stop()
    stop.asked = True
    fit = Unhurried(Beat(1, 10, 0, 2.0, 6, 80, 0, None))
    threading.Timer(1.0, fit.ends.set).start()
    assert not fit.follow(ProgressLine(on=False), stop)  # type: ignore[arg-type]
    assert not fit._thread.is_alive()


def test_a_cluster_without_room_is_told_at_once(ray_cluster: None, given: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"want 14 CPUs, and the cluster has 8"):
        ranked.run_command([*given, f"output={tmp_path / 'run'}", "run.workers=8"])
    with pytest.raises(ConfigError, match=r"want 1 GPUs"):
        ranked.run_command([*given, f"output={tmp_path / 'other'}", "run.gpus_per_worker=1"])
