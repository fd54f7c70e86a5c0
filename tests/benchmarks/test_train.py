"""The race's parts on a tiny model: the same losses from each contestant, and arithmetic as the library counts it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks import train
from benchmarks.contestants.train_words import WARM_STEPS, read_words
from benchmarks.flops import FULL, LORA, Sizes, Work, operations, sizes_of, work_of
from benchmarks.train_corpus import Shape, write
from mht.model.conversation import Prepared, Suffix

SHAPE = Shape(hidden=32, layers=2, image_tokens=16, text_tokens=24, pairs=3, images=2, steps=4)
Contestant = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    import torch
    import transformers

    transformers.logging.disable_progress_bar()
    torch.set_num_threads(1)
    return write(tmp_path_factory.mktemp("corpus"), SHAPE)


@pytest.fixture
def contestant(corpus: Path, capsys: pytest.CaptureFixture[str]) -> Contestant:
    """What a contestant tells, run in this process."""

    def run(module: Any, how: str = "padded") -> dict[str, Any]:
        module.main(read_words(["--folder", str(corpus), "--how", how, "--threads", "1"]))
        told: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
        return told

    return run


def test_every_contestant_learns_the_same_but_one_conversation(contestant: Contestant) -> None:
    from benchmarks.contestants import train_loop, train_ours

    loop = contestant(train_loop)
    assert len(loop["losses"]) == SHAPE.steps
    assert loop["samples"] == (SHAPE.steps - WARM_STEPS) * SHAPE.pairs * SHAPE.images
    assert loop["wall_s"] > 0
    for how in ("padded", "packed"):
        assert contestant(train_ours, how)["losses"] == pytest.approx(loop["losses"], abs=1e-5)
    assert contestant(train_ours, "turns")["losses"] != pytest.approx(loop["losses"], abs=1e-3)


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize(("how", "passes"), [("LoRA", LORA), ("full", FULL)])
def test_operations_are_those_that_torch_counts(corpus: Path, share: bool, how: str, passes: int) -> None:
    """But for attention, which its counter does not know on a CPU, and for LoRA's own products."""
    from torch.utils.flop_counter import FlopCounterMode

    from benchmarks.contestants.train_ours import batches, examples, loaded

    told = read_words(["--folder", str(corpus)])
    learner, preparer = loaded(told)
    if how == "full":
        learner.whole.get_decoder().requires_grad_(True)
        learner.whole.lm_head.requires_grad_(True)
    step = told.table[0]
    [batch] = batches(learner, preparer, step, "packed" if share else "padded")
    with FlopCounterMode(display=False) as counter:
        learner(batch).sums.sum().backward()
    prepared = [preparer.prepare(one) for one in examples(step, "packed")]
    image_id = learner.whole.config.image_token_id
    work = replace(work_of(prepared, share, image_id), pairs=0, patch_pairs=0)
    # In a model of this size LoRA's products are no small part.
    extra = 6 * work.tokens * SHAPE.layers * 8 * (32 + 32 + 32 + 16)
    wanted = operations(sizes_of(learner.whole), work, passes) + extra
    padding = batch.tokens / batch.real_tokens
    assert wanted * 0.93 < counter.get_total_flops() < wanted * padding * 1.07


def test_what_is_shared_counts_once() -> None:
    suffixes = tuple(
        Suffix(f"{i}", [5] * n, [False] * (n - 2) + [True] * 2, 1.0) for i, n in enumerate((4, 6))
    )
    prepared = [Prepared("a", [1, 9, 9, 2], suffixes, {})]
    assert work_of(prepared, True, 9) == Work(
        tokens=14, pairs=10 + 16 + 10 + 24 + 21, learnt=4, image_tokens=2
    )
    assert work_of(prepared, False, 9) == Work(tokens=18, pairs=36 + 55, learnt=4, image_tokens=4)


def test_the_formula() -> None:
    sizes = Sizes(
        language=100, layers=2, width=8, head=50, projector=30, vision=40, vision_layers=3, vision_width=4
    )
    assert operations(sizes, Work(tokens=7), LORA) == 2 * 2 * 100 * 7
    assert operations(sizes, Work(tokens=7), FULL) == 3 * 2 * 100 * 7
    assert operations(sizes, Work(pairs=5), FULL) == 3 * 4 * 2 * 8 * 5
    assert operations(sizes, Work(learnt=5, image_tokens=2), LORA) == 2 * 2 * 50 * 5 + 2 * 30 * 2
    assert operations(sizes, Work(patches=6, patch_pairs=36), FULL) == 2 * 40 * 6 + 4 * 3 * 4 * 36


def race(**runs: list[train.Run]) -> train.Race:
    made = train.Race(Path("nowhere"), dict.fromkeys(runs, Path("python")), 1)
    made.runs |= runs
    return made


def run(rate: float, cpu_ms: float, *losses: float) -> train.Run:
    return train.Run(losses, rate, cpu_ms, 100.0, 0.9)


def test_the_table_has_medians_ratios_and_who_learnt_another_thing() -> None:
    made = race(
        TRL=[run(10, 40, 5.0, 4.0), run(12, 50, 5.0, 4.0), run(11, 45, 5.0, 4.0)],
        ours=[run(44, 9, 5.00005, 4.0)],
        wrong=[run(22, 9, 5.0, 4.0), run(22, 9, 5.0, 4.001)],
    )
    _, _, trl, ours, wrong = [
        [c.strip() for c in line.split("|")[1:-1]] for line in train.table(made).splitlines()
    ]
    assert trl == ["TRL", "11.0 (10.0-12.0)", "1.00", "-", "45.0", "1.00", "0.90", "100", "0e+00"]
    assert ours == ["ours", "44.0 (44.0-44.0)", "4.00", "-", "9.0", "5.00", "0.90", "100", "5e-05"]
    assert wrong[-1] == "1e-03: NOT THE SAME"


def test_one_conversation_is_said_to_learn_another_thing() -> None:
    made = race(**{"TRL": [run(10, 40, 5.0)], train.LEAKS: [run(10, 40, 4.0)]})
    assert train.same(made, train.LEAKS) == "1e+00: it learns another thing"


def test_without_a_gpu_the_program_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    from benchmarks import train_gpu

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    assert train_gpu.main(["--images", "2", "--steps", "1", "--save", "--models", "qwen2.5-vl-7b"]) == 0
    told = capsys.readouterr().out
    rows = [
        [c.strip() for c in line.split("|")[1:-1]] for line in told.splitlines() if line.startswith("| tiny")
    ]
    assert [row[1:3] for row in rows] == [
        [trained, how] for trained in ("LoRA", "full") for how in ("padded", "packed")
    ]
    assert all(float(row[4].replace(",", "")) > 0 for row in rows)
    assert all(row[6:8] == ["-", "-"] for row in rows)
    assert "No GPU was here" in told
    assert "kept in" not in told
