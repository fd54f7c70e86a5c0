"""A run of one or two ranks from its configuration to its model, cut short and taken up again. Without Ray."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mht.config_train import load
from mht.storage import Storage
from mht.training.assignment import assign
from tests.model.processes import in_process, in_ranks
from tests.training import ranked

TOTAL = 15


@pytest.fixture(scope="module")
def undisturbed(given: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[int, list[float]]:
    """The losses of the run by world size."""
    found = {}
    for world in (1, 2):
        output = tmp_path_factory.mktemp("undisturbed") / "run"
        ended = in_ranks(world, ranked.leg, [*given, f"output={output}"])
        assert [finished for finished, _ in ended] == [True] * world
        found[world] = ranked.losses_of(output)
        assert len(found[world]) == TOTAL
    return found


def test_world_sizes_have_the_same_losses_but_for_rounding(undisturbed: dict[int, list[float]]) -> None:
    assert undisturbed[1] == pytest.approx(undisturbed[2], rel=1e-4)
    assert undisturbed[1][-1] < undisturbed[1][0]


@pytest.mark.parametrize("after", [1, 7, 14])
def test_r13_a_process_that_dies_goes_on_bit_for_bit(
    undisturbed: dict[int, list[float]], given: list[str], tmp_path: Path, after: int
) -> None:
    words = [*given, f"output={tmp_path / 'run'}"]
    assert in_process(ranked.leg, words, after, True) == 9
    finished, lines = in_process(ranked.leg, words)
    assert finished
    assert ranked.losses_of(tmp_path / "run") == undisturbed[1]
    said = [line for line in lines if line.startswith("going on from step")]
    assert bool(said) == (after > 4), "there is a checkpoint every four steps"


def test_r13_both_ranks_die_and_go_on_bit_for_bit(
    undisturbed: dict[int, list[float]], given: list[str], tmp_path: Path
) -> None:
    words = [*given, f"output={tmp_path / 'run'}"]
    died, left = in_ranks(2, ranked.leg, words, 9, True)
    assert died == 9
    assert not left[0], "the other rank cannot go on alone"
    assert all(finished for finished, _ in in_ranks(2, ranked.leg, words))
    assert ranked.losses_of(tmp_path / "run") == undisturbed[2]


def test_r14_two_ranks_then_one_then_two(
    undisturbed: dict[int, list[float]], given: list[str], tmp_path: Path
) -> None:
    words = [*given, f"output={tmp_path / 'run'}"]
    for world, after in ((2, 4), (1, 9), (2, None)):
        ended = in_ranks(world, ranked.leg, words, after)
        assert [finished for finished, _ in ended] == [after is None] * world
    assert ranked.losses_of(tmp_path / "run") == pytest.approx(undisturbed[2], rel=1e-4)


@pytest.mark.parametrize("words", [["method=full", "optimizer.learning_rate=1e-3"], ["lora.dropout=0.1"]])
def test_other_ways_of_training_go_on_bit_for_bit(given: list[str], tmp_path: Path, words: list[str]) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert in_process(ranked.leg, [*given, *words, f"output={whole}"])[0]
    assert not in_process(ranked.leg, [*given, *words, f"output={cut}"], 6)[0]
    assert in_process(ranked.leg, [*given, *words, f"output={cut}"])[0]
    assert ranked.losses_of(cut) == ranked.losses_of(whole)


def test_each_sample_is_learnt_once_an_epoch_at_any_world_size(given: list[str], tmp_path: Path) -> None:
    """Of the jobs themselves: what the ranks of each step read, together, from any step on."""
    config = load(None, [*given, f"output={tmp_path / 'run'}"])
    agenda = assign(config, Storage(config.storage)).agenda
    every = {(shard.name, one) for shard in agenda.shards for one in shard.example_ids}
    steps = agenda.steps_an_epoch()
    assert agenda.total() == TOTAL == 3 * steps
    for world, first in ((1, 0), (2, 0), (3, steps)):
        read: dict[int, list[Any]] = {}
        for rank in range(world):
            for job in agenda.jobs(first, rank, world):
                assert job.step // steps == job.epoch
                read.setdefault(job.epoch, []).extend((name, one) for name, ids in job.reads for one in ids)
        assert set(read) == set(range(first // steps, 3))
        for examples in read.values():
            assert len(examples) == len(every)
            assert set(examples) == every


def test_what_stands_in_a_run_s_folder(given: list[str], tmp_path: Path) -> None:
    output = tmp_path / "run"
    found, progress = ranked.run_command([*given, f"output={output}", "run.ray=false"])
    assert found is not None
    names = {path.name for path in output.iterdir()}
    assert names == {
        "run.json", "certificate.json", "checkpoints", "history.parquet", "results.json", "tensorboard",
        "curves.html", "model", "unlearnable.json", "_SUCCESS",
    }  # fmt: skip
    certificate = json.loads((output / "certificate.json").read_text())
    assert certificate["holds"]
    assert certificate["gradient"] < 1e-5
    assert [one["step"] for one in found["validations"]] == [0, 5, 10, 15]
    assert found["validations"][-1]["loss"] < found["validations"][0]["loss"]
    assert (found["steps"], found["samples"], found["images"]) == (TOTAL, 108, 27)
    assert [beat.step for beat in progress.beats] == list(range(1, TOTAL + 1))
    card = (output / "model" / "README.md").read_text()
    assert "held out: loss" in card
    assert json.loads((output / "run.json").read_text())["data"] in card
    listed = {one["path"] for one in json.loads((output / "model" / "MANIFEST.json").read_text())["files"]}
    assert {"adapter_model.safetensors", "README.md", "curves.html", "tokenizer.json"} <= listed
    assert list((output / "tensorboard").iterdir())
