"""What is gathered is what the mask lets through: values and gradients are those of attention under the whole mask."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.model.test_packing import SIZES, Sizes, placed

HEADS, KEY_HEADS, WIDTH = 4, 2, 8


def drawn(batch: Any) -> list[Any]:
    """Query, key and value, and what the result's gradient is."""
    import torch

    torch.manual_seed(0)
    rows, tokens = batch.ids.shape
    made = [torch.randn(rows, heads, tokens, WIDTH) for heads in (HEADS, KEY_HEADS, KEY_HEADS)]
    # Nothing is learnt from what padding gives, and nothing of it is promised.
    real = (batch.example >= 0)[:, :, None, None]
    return [*[one.requires_grad_() for one in made], torch.randn(rows, tokens, HEADS, WIDTH) * real]


def taken(inputs: list[Any], made: Any) -> list[Any]:
    *asked, gradient = inputs
    (made * gradient).sum().backward()
    found = [made.detach() * (gradient != 0), *[one.grad for one in asked]]
    for one in asked:
        one.grad = None
    return found


@settings(deadline=None, max_examples=60)
@given(SIZES, st.integers(20, 200), st.booleans(), st.booleans())
def test_values_and_gradients_are_those_under_the_mask(
    sizes: Sizes, tokens: int, share: bool, several: bool
) -> None:
    import torch

    from mht.model.gathered_attention import ARGUMENT, _attend, columns
    from mht.model.packing import pack, visible

    for batch in pack(placed(sizes), tokens, share, several):
        inputs = drawn(batch)
        query, key, value, _ = inputs
        layout = columns(batch, torch.float32)
        module = SimpleNamespace(num_key_value_groups=HEADS // KEY_HEADS, is_causal=True)
        gathered, _ = _attend(module, query, key, value, None, **{ARGUMENT: layout})
        whole = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=visible(batch), enable_gqa=True
        ).transpose(1, 2)
        for one, other in zip(taken(inputs, gathered), taken(inputs, whole), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5)


def test_text_that_shares_nothing_has_an_empty_prefix() -> None:
    import torch

    from mht.model.gathered_attention import columns
    from mht.model.packing import pack

    [batch] = pack(placed([(0, [4, 3]), (0, [2, 2])]), 100, share=True, several=True)
    layout = columns(batch, torch.float32)
    assert not layout.mask[..., 0].isfinite().any()
    assert layout.own.shape == (4, 4)


@pytest.mark.parametrize("exchanges", [5, 10])
def test_exchanges_do_not_pay_for_each_other(exchanges: int) -> None:
    """Twice the exchanges are twice the scores, where a mask over the whole row would have four times."""
    import torch

    from mht.model.gathered_attention import columns
    from mht.model.packing import pack

    [batch] = pack(placed([(20, [6] * exchanges)]), 1000, share=True)
    layout = columns(batch, torch.float32)
    scores = layout.prefixes.numel() * 20 + layout.own.numel() * layout.seen.shape[1]
    assert scores == 20 * 20 + exchanges * 6 * 26
    assert layout.mask.shape == (1, 1, 6, 26)
