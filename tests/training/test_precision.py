"""bfloat16: the losses of float32 within its eight bits, what is learnt kept in float32, two ranks as one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.model.processes import in_ranks
from tests.training import ranked

TOLERANCE = 2e-2
"""Relative, of a loss and of a gradient's norm: a number of bfloat16 is off by up to 2^-9, and many are added up."""
METHODS = pytest.mark.parametrize(
    "words", [["method=full", "vision=trained"], ["lora.dropout=0"]], ids=["full", "lora"]
)
HALF = "precision=bfloat16"
EVERY = [list(range(6))]


def near(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    for one, other in zip(found["steps"], wanted["steps"], strict=True):
        assert one.loss == pytest.approx(other.loss, rel=TOLERANCE)
        assert one.norm == pytest.approx(other.norm, rel=5 * TOLERANCE)
        assert one.learnt == other.learnt


@METHODS
def test_losses_are_near_those_of_float32_and_what_is_learnt_is_float32(
    llava: Path, words: list[str]
) -> None:
    import torch

    given = [*words, "optimizer.learning_rate=1e-3"]
    found = ranked.steps(str(llava), [*given, HALF], EVERY, [1])
    wanted = ranked.steps(str(llava), given, EVERY, [1])
    near(found, wanted)
    assert found["steps"][0].loss != wanted["steps"][0].loss, "it was computed in other numbers"
    assert (found["compute"], found["kept"]) == (torch.bfloat16, {torch.float32})
    assert found["steps"][2].loss < found["steps"][0].loss


@METHODS
def test_two_ranks_equal_one(llava: Path, words: list[str]) -> None:
    import torch

    given = [*words, "optimizer.learning_rate=1e-3", HALF]
    found = in_ranks(2, ranked.steps, str(llava), given, [[0, 2], [4, 1, 3, 5]], [1])
    assert [step.loss for step in found[0]["steps"]] == [step.loss for step in found[1]["steps"]]
    near(found[0], ranked.steps(str(llava), given, EVERY, [1]))
    assert (found[0]["compute"], found[0]["kept"]) == (torch.bfloat16, {torch.float32})
