"""A run's plan against the run: what it said of steps, parameters, tokens and bytes, and that it wrote nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub.constants
import pytest

from mht.cli import main
from mht.config_train import load
from mht.errors import InputError
from mht.model import architectures
from mht.training import plan as planning
from mht.training.plan import plan_of
from tests.dataset.small import write_dataset
from tests.training import ranked


@pytest.mark.parametrize(
    "words",
    [["method=lora"], ["method=full", "vision=trained"], ["method=lora", "projector=trained", "max_steps=7"]],
)
def test_the_run_is_what_was_planned(given: list[str], tmp_path: Path, words: list[str]) -> None:
    output = tmp_path / "run"
    told = [*given, *words, f"output={output}", "run.ray=false"]
    planned = plan_of(load(None, [*told, "plan=true"]))
    assert not output.exists()
    found, _ = ranked.run_command(told)
    assert found is not None
    assert (planned.steps, planned.seen) == (found["steps"], found["images"])
    assert (planned.trained, planned.parameters) == (found["trained_parameters"], found["parameters"])
    # Each image is in the probe as often as in the run.
    assert planned.tokens == found["tokens"]
    assert planned.tokens_apart > 1.5 * planned.tokens


def test_a_checkpoint_grows_as_planned(given: list[str], tmp_path: Path) -> None:
    planned, stored = [], []
    for rank in (8, 64):
        output = tmp_path / f"rank-{rank}"
        words = [*given, f"lora.rank={rank}", "max_steps=1", f"output={output}", "run.ray=false"]
        planned.append(plan_of(load(None, words)).checkpoint_bytes)
        assert ranked.run_command(words)[0] is not None
        stored.append(
            sum(one.stat().st_size for one in output.glob("checkpoints/00000001/**/*") if one.is_file())
        )
    # Around each tensor lie a name and a place, of one length in both.
    assert stored[1] - stored[0] == pytest.approx(planned[1] - planned[0], rel=0.02)
    assert stored[0] > planned[0]


def test_a_part_of_the_data_says_what_all_of_it_takes(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = load(None, [*given, f"output={tmp_path / 'run'}"])
    whole = plan_of(config)
    monkeypatch.setattr(planning, "PROBE_EXAMPLES", 4)
    some = plan_of(config)
    assert (some.probe, some.steps, some.seen) == (4, whole.steps, whole.seen)
    assert 0.7 < some.tokens / whole.tokens < 1.4


def test_workers_divide_what_is_kept_and_epochs_add_up(given: list[str], tmp_path: Path) -> None:
    def of(*words: str) -> planning.TrainPlan:
        usual = [word for word in given if not word.startswith("epochs=")]
        return plan_of(load(None, [*usual, f"output={tmp_path / 'run'}", *words]))

    one, four, twice = of("epochs=3"), of("epochs=3", "run.workers=4"), of("epochs=6")
    assert four.state_bytes == -(-one.state_bytes // 4)
    assert (twice.steps, twice.seen) == (2 * one.steps, 2 * one.seen)
    assert twice.operations == pytest.approx(2 * one.operations)
    # Half the model, and what is trained of it as before.
    half = of("epochs=3", "precision=bfloat16")
    assert one.state_bytes - half.state_bytes == 2 * (one.parameters - one.trained)


def test_preference_says_wrong_answers_too_and_goes_forward_three_times(
    given: list[str], tmp_path: Path
) -> None:
    words = [*given, f"output={tmp_path / 'run'}"]
    plain, preferring = plan_of(load(None, words)), plan_of(load(None, [*words, "preference.beta=0.1"]))
    assert preferring.tokens > 1.2 * plain.tokens
    # Frozen layers cost four operations a parameter there and back, and two more each time forward.
    assert preferring.operations / preferring.tokens == pytest.approx(
        2 * plain.operations / plain.tokens, rel=0.15
    )


def test_the_table_tells_what_cannot_be_learnt(
    llava: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def spoilt(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**pair, "answer": "<image>"} if pair["pair_id"][15] == "b" else pair for pair in pairs]

    write_dataset(str(tmp_path / "data"), change=spoilt)
    words = [f"model.path={llava}", f"data.path={tmp_path / 'data'}", f"output={tmp_path / 'run'}"]
    assert main(["train", *words, "plan=true"]) == 0
    out = capsys.readouterr().out
    assert "samples of the probe; the first, 000000000000000b" in out
    assert "in rows of their own" in out
    assert not (tmp_path / "run").exists()


def test_where_nothing_can_be_learnt_it_is_said(llava: Path, tmp_path: Path) -> None:
    write_dataset(
        str(tmp_path / "data"), change=lambda pairs: [{**pair, "answer": "<image>"} for pair in pairs]
    )
    words = [f"model.path={llava}", f"data.path={tmp_path / 'data'}", f"output={tmp_path / 'run'}"]
    with pytest.raises(InputError, match="nothing of 9 examples can be learnt; of 0"):
        plan_of(load(None, words))


def test_a_hub_s_settings_are_enough(
    llava: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = plan_of(load(None, [f"model.path={llava}", f"data.path={data}", f"output={tmp_path / 'run'}"]))
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    there = cache / "models--someone--tiny-llava"
    snapshot = there / "snapshots" / ("a" * 40)
    (there / "refs").mkdir(parents=True)
    snapshot.mkdir(parents=True)
    (there / "refs/main").write_text("a" * 40)
    for one in llava.iterdir():
        if one.suffix != ".safetensors":
            (snapshot / one.name).write_bytes(one.read_bytes())
    words = ["model.path=someone/tiny-llava", f"data.path={data}", f"output={tmp_path / 'run'}"]
    assert plan_of(load(None, words)) == here


def test_a_family_that_is_not_admitted_computes_each_image_anew(
    llava: Path, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [f"model.path={llava}", f"data.path={data}", f"output={tmp_path / 'run'}"]
    apart = plan_of(load(None, words)).tokens_apart
    monkeypatch.setattr(architectures, "ADMITTED", frozenset())
    plan = plan_of(load(None, words))
    assert not plan.shares
    assert plan.tokens == plan.tokens_apart == apart
