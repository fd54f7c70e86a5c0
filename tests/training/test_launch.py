"""Training on Ray: workers killed one by one and all at once, what is wrong with the data told once, no room told."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import psutil
import pytest

from mht.errors import ConfigError, InputError
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


def test_a_cluster_without_room_is_told_at_once(ray_cluster: None, given: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"want 14 CPUs, and the cluster has 8"):
        ranked.run_command([*given, f"output={tmp_path / 'run'}", "run.workers=8"])
    with pytest.raises(ConfigError, match=r"want 1 GPUs"):
        ranked.run_command([*given, f"output={tmp_path / 'other'}", "run.gpus_per_worker=1"])
