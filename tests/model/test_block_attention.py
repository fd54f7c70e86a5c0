"""Attention by blocks: packed rows equal separate ones, and without a block mask it is the library's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mht.model.certificate import TOLERANCE, separate_loss
from mht.model.packing import pack
from tests.model.conftest import EYES, Family, example, losses_of

KINDS: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {"sliding_window": 6},
    "gemma3_text": {"sliding_window": 6, "layer_types": ["sliding_attention", "full_attention"]},
}
"""Language models without a window, with one in every layer, and in every second one."""


@pytest.fixture
def blocked(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Any], None]]:
    """Points a learner at the blocks; the model is as before afterwards.

    The kernels are for CUDA; here the library's own plain way serves, which has no gradient on a CPU.
    """
    import torch.nn.attention.flex_attention as flex

    monkeypatch.setattr(flex, "_FLEX_ATTENTION_DISABLE_COMPILE_DEBUG", True)
    kept = []

    def point(learner: Any) -> None:
        config = learner.whole.get_decoder().config
        kept.append((config, config._attn_implementation))
        learner.skip_masked()
        assert learner.several

    yield point
    for config, before in kept:
        config._attn_implementation = before


def separate(learner: Any, prepared: list[Any]) -> tuple[dict[str, float], Any]:
    """Loss of each exchange in a row of its own, and the gradient of all."""
    import torch

    learner.zero_grad(set_to_none=True)
    losses = {s.exchange_id: separate_loss(learner, one, s) for one in prepared for s in one.suffixes}
    gradient = [p.grad.flatten() for p in learner.parameters() if p.grad is not None]
    learner.zero_grad(set_to_none=True)
    return losses, torch.cat(gradient)


@pytest.fixture
def made(family: Callable[[str], Family], windowed: Callable[..., Family]) -> Callable[[str], Family]:
    """One that reads images, or a language model with layers that see so many tokens back."""
    return lambda name: family(name) if name in EYES else windowed(name, **KINDS[name])


@pytest.mark.parametrize("name", [*EYES, *KINDS])
def test_packed_and_separate_rows_equal_those_of_the_library(
    made: Callable[[str], Family], blocked: Callable[[Any], None], name: str
) -> None:
    """The certificate's other side goes through this attention, too: it must be right in both."""
    one = made(name)
    learner = one.learner().eval()
    prepared = [one.preparer.prepare(example(number, 3, name in EYES)) for number in range(2)]
    wanted, gradient = separate(learner, prepared)
    blocked(learner)
    found, its = separate(learner, prepared)
    assert found == pytest.approx(wanted, rel=TOLERANCE)
    assert (its - gradient).norm() <= TOLERANCE * gradient.norm()
    batches = pack([learner.place(p) for p in prepared], 4000, share=True, several=True)
    assert losses_of(learner, batches) == pytest.approx(wanted, rel=TOLERANCE)


@pytest.mark.parametrize("name", ["llava", "gemma3", *KINDS])
def test_rows_that_are_padded_on_the_left_do_not_see_the_padding(
    made: Callable[[str], Family], blocked: Callable[[Any], None], name: str
) -> None:
    import torch

    one = made(name)
    learner = one.learner().eval()
    first = len(one.chat.tokenizer.all_special_ids)
    ids = torch.arange(first, first + 24).view(2, 12)
    real = torch.arange(12) >= torch.tensor([[0], [5]])

    def logits() -> torch.Tensor:
        with torch.no_grad():
            made: torch.Tensor = one.model(input_ids=ids, attention_mask=real.int(), use_cache=False).logits
        return made[real]

    wanted = logits()
    blocked(learner)
    torch.testing.assert_close(logits(), wanted, rtol=1e-4, atol=1e-5)
