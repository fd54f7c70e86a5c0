"""`mht train` as a person meets it: the table at the end, a stop, a second start, an output that is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mht.cli import main
from mht.config_train import load
from mht.errors import ConfigError, RunConflict
from mht.lease import Lease
from mht.storage import Storage, StorageParams
from mht.training.command import summary
from tests.training import ranked


def test_the_table_and_nothing_more_on_a_second_start(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", *given, f"output={tmp_path / 'run'}", "run.ray=false", "epochs=1"]
    words.remove("epochs=3")
    assert main(words) == 0
    first = capsys.readouterr()
    for part in ("5 on 36 samples about 9 images", "loss", "held out: loss", "samples/s", "MANIFEST.json"):
        assert part in first.out
    assert first.err == ""
    history = (tmp_path / "run" / "history.parquet").stat()
    assert main(words) == 0
    assert capsys.readouterr().out == first.out
    assert (tmp_path / "run" / "history.parquet").stat() == history


def test_a_stop_keeps_a_checkpoint_of_its_own_and_the_rest_is_as_if_never_stopped(
    given: list[str], tmp_path: Path
) -> None:
    usual = [word for word in given if not word.startswith("checkpoints")]
    usual += ["run.ray=false", "checkpoints.every_steps=100"]
    words = [*usual, f"output={tmp_path / 'run'}"]
    found, progress = ranked.run_command(words, after=6)
    assert found is None
    stopped = progress.beats[-1].step
    assert (tmp_path / "run" / "checkpoints" / f"{stopped:08d}" / "MANIFEST.json").exists()
    found, progress = ranked.run_command(words)
    assert found is not None
    assert progress.beats[0].step == stopped + 1
    whole, _ = ranked.run_command([*usual, f"output={tmp_path / 'whole'}"])
    assert whole is not None
    assert ranked.losses_of(tmp_path / "run") == ranked.losses_of(tmp_path / "whole")


def test_an_output_that_somebody_writes_is_refused(given: list[str], tmp_path: Path) -> None:
    with (
        Lease(Storage(StorageParams()), str(tmp_path / "run")),
        pytest.raises(RunConflict, match="being written"),
    ):
        ranked.run_command([*given, f"output={tmp_path / 'run'}", "run.ray=false"])


def test_a_split_that_is_not_there_says_what_to_do(given: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"did you mean 'validation'.*validation\.rows=0"):
        ranked.run_command(
            [*given, f"output={tmp_path / 'run'}", "run.ray=false", "validation.split=validatoin"]
        )
    assert not (tmp_path / "run" / "run.json").exists()


def test_figures_before_and_after_stand_side_by_side() -> None:
    found = {
        "steps": 1200, "samples": 9000, "images": 900, "trained_parameters": 5, "parameters": 50, "loss_first": 2.0,
        "loss_last": 1.0, "seconds": 75.0, "samples_per_s": 120.0, "tokens_per_s": 4000.0, "memory_bytes": 3 << 30,
        "workers": 2, "device": "cpu",
        "validations": [{"step": 0, "loss": 2.0, "false_premise": 0.9}, {"step": 9, "loss": 1.5, "false_premise": 0.1}],
    }  # fmt: skip
    text = summary(load(None, ["model.path=m", "data.path=d"]), json.loads(json.dumps(found)))
    assert "held out: false premise  0.9000 -> 0.1000" in text
    assert "1:15 (120.0 samples/s, 4,000 tokens/s)" in text
    assert "3.0 GiB a worker, 2 of them, cpu" in text
