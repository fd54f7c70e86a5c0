"""`mht train` as a person meets it: the table at the end, a stop, a second start, an output that is taken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mht.cli import main
from mht.config_train import load
from mht.errors import ConfigError, Interrupted, RunConflict
from mht.lease import Lease
from mht.storage import Storage, StorageParams
from mht.training.command import summary, train
from mht.training.progress import Beat
from tests.training import ranked
from tests.training.sources.made import write_lines


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


class InValidation(ranked.Stop):
    """A request to stop that comes while the held-out rows are looked at after so many steps."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def shown(self, beat: Beat) -> None:
        self.asked |= beat.validated is not None and beat.step == self._step


@pytest.mark.parametrize("step", [0, 5, 15])
def test_a_validation_that_was_left_for_a_stop_is_made_up_for(
    given: list[str], whole: dict[str, Any], tmp_path: Path, step: int
) -> None:
    words = [*given, "run.ray=false", f"output={tmp_path / 'run'}"]
    stop = InValidation(step)
    with pytest.raises(Interrupted):
        train(load(None, words), ranked.Shown(stop), stop)
    assert (tmp_path / "run" / "checkpoints" / f"{step:08d}" / "MANIFEST.json").exists() == (step > 0)
    assert not (tmp_path / "run" / "_SUCCESS").exists()
    found, progress = ranked.run_command(words)
    assert found is not None
    assert [beat.step for beat in progress.beats] == list(range(step + 1, 16))
    assert found["validations"] == whole["validations"]
    assert [one["step"] for one in found["validations"]] == [0, 5, 10, 15]


@pytest.fixture(scope="module")
def whole(given: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of a run that nothing stopped."""
    output = tmp_path_factory.mktemp("whole") / "run"
    found, _ = ranked.run_command([*given, "run.ray=false", f"output={output}"])
    assert found is not None
    return found


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


def test_one_file_of_rows_is_trained_on_without_validation_and_that_is_said(
    given: list[str], tmp_path: Path
) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"question": "is there a mass", "answer": "yes"}] * 4)
    words = [word for word in given if not word.startswith(("data", "validation"))]
    words += ["data.kind=table", f"data.path={tmp_path / 'rows.jsonl'}", "data.image=null", "run.ray=false"]
    found, progress = ranked.run_command([*words, f"output={tmp_path / 'run'}"])
    assert found is not None
    assert found["validations"] == []
    [said] = [line for line in progress.lines if line.startswith("no validation: ")]
    assert "rows.jsonl' has no rows of split 'validation'" in said
    assert "set data.validation_share to hold some out" in said
    with pytest.raises(
        ConfigError, match=r"^validation\.split: '.*rows\.jsonl' has no rows .*validation\.rows=0"
    ):
        ranked.run_command([*words, f"output={tmp_path / 'other'}", "validation.split=validation"])


def test_figures_before_and_after_stand_side_by_side() -> None:
    found = {
        "steps": 1200, "samples": 9000, "images": 900, "trained_parameters": 5, "parameters": 50, "loss_first": 2.0,
        "loss_last": 1.0, "seconds": 75.0, "samples_per_s": 120.0, "tokens_per_s": 4000.0, "memory_bytes": 3 << 30,
        "workers": 2, "device": "cpu",
        "validations": [
            {"step": 0, "loss": 2.0, "false_premise": 0.9}, {"step": 1200, "loss": 1.5, "false_premise": 0.1},
        ],
    }  # fmt: skip
    text = summary(load(None, ["model.path=m", "data.path=d"]), json.loads(json.dumps(found)))
    assert "held out: false premise  0.9000 -> 0.1000" in text
    assert "1:15 (120.0 samples/s, 4,000 tokens/s)" in text
    assert "3.0 GiB a worker, 2 of them, cpu" in text


def test_held_out_rows_of_a_resume_have_no_figures_before(given: list[str], tmp_path: Path) -> None:
    """Begun without them, and gone on with them: neither the table nor the card makes up what nobody measured."""
    usual = [word for word in given if not word.startswith("validation")]
    usual += ["run.ray=false", "validation.answers=0", f"output={tmp_path / 'run'}"]
    assert ranked.run_command([*usual, "validation.rows=0"], after=12)[0] is None
    words = [*usual, "validation.rows=4"]
    found, _ = ranked.run_command(words)
    assert found is not None
    loss = found["validations"][-1]["loss"]
    lines = [line.split() for line in summary(load(None, words), found).splitlines() if "held out" in line]
    assert lines == [["held", "out:", "loss", f"{loss:.4f}"]]
    card = (tmp_path / "run" / "model" / "README.md").read_text()
    assert f"| held out: loss | not measured | {loss:.4g} |" in card
