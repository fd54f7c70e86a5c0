"""The certificate in bfloat16: it holds for every family and for deep models, and is not blind to a mask that leaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from mht.model.certificate import TOLERANCE, Certificate, certify
from mht.training.proof import tolerance
from mht.training.step import computing
from tests.engines import tiny
from tests.model.conftest import EYES, Family, causal, example, opened
from tests.model.conftest import family as family

DEEP = 32


def half(one: Family, layers: int) -> Certificate:
    prepared = [one.preparer.prepare(example(number, 4)) for number in range(2)]
    with computing(torch.device("cpu"), torch.bfloat16):
        return certify(one.learner(), prepared, tolerance(torch.bfloat16, layers))


@pytest.mark.parametrize("name", EYES)
def test_it_holds_for_every_family(family: Callable[[str], Family], name: str) -> None:
    found = half(family(name), 2)
    assert found.holds, found
    assert found.gradient > 10 * TOLERANCE  # it was bfloat16 indeed


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return opened("llava", tiny.llava(tmp_path_factory.mktemp("deep"), layers=DEEP))


def test_a_deep_model_adds_up_more_rounding(deep: Family) -> None:
    found = half(deep, DEEP)
    assert found.holds, found
    assert found.gradient > tolerance(torch.bfloat16, 2) / 2


def test_a_mask_that_leaks_is_found_in_a_deep_model(deep: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    from mht.model import learner

    monkeypatch.setattr(learner, "visible", causal)
    found = half(deep, DEEP)
    assert not found.holds
    assert found.gradient > 5 * found.tolerance


def test_float32_is_held_to_the_same_at_any_depth() -> None:
    assert tolerance(torch.float32, 2) == tolerance(torch.float32, 80) == TOLERANCE
    assert tolerance(torch.bfloat16, 2) == 3e-2
    assert tolerance(torch.bfloat16, 80) == pytest.approx(0.089, abs=1e-3)
