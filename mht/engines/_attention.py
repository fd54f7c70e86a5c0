"""Attention over few heads of keys for many of queries, without a copy of the keys for each of them.

The library copies keys and values once a head of the queries as soon as several tokens come with a mask, at each step
all that was ever read. Here the heads that share keys are further queries to them, under the same mask.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

_NAME = "mht_grouped"


def group_heads(config: Any) -> None:
    """Let a language model of these settings attend so, where it attends by torch's own attention."""
    if config._attn_implementation == "sdpa":
        AttentionInterface.register(_NAME, _attend)
        AttentionMaskInterface.register(_NAME, sdpa_mask)
        config._attn_implementation = _NAME


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """[rows, heads, tokens, width] each, fewer heads for keys and values; gives [rows, tokens, heads, width]."""
    rows, heads, tokens, width = query.shape
    shared = heads // key.shape[1]
    if attention_mask is None or tokens == 1 or shared == 1:
        made: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **more
        )
        return made
    told = torch.nn.functional.scaled_dot_product_attention(
        query.reshape(rows, key.shape[1], shared * tokens, width), key, value,
        attn_mask=attention_mask[..., : key.shape[2]].repeat(1, 1, shared, 1), scale=scaling,
    )  # fmt: skip
    return told.reshape(rows, heads, tokens, width).transpose(1, 2).contiguous(), None
