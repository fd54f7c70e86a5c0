"""Attention of the language model by FlexAttention over a block mask, for any family of transformers.

The library's own door to FlexAttention is shut for some families (Qwen2.5-VL among them), so this registers a function
of our own in its table of attention functions and points the language model at it; the vision tower keeps its own.
Compiled kernels exist for CUDA. Without a block mask (the model alone, in validation) it is plain causal attention.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "shared_image_blocks"


def use_blocks(language_model: Any) -> None:
    """Point a language model's layers at this attention; their masks must then be `block_mask.block_mask`."""
    ALL_ATTENTION_FUNCTIONS.register(NAME, _attend)
    language_model.config._attn_implementation = NAME


@lru_cache(maxsize=1)
def _kernel() -> Any:
    return torch.compile(flex_attention, dynamic=True)


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: BlockMask | None,
    scaling: float | None = None,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """[rows, heads, tokens, width] each, fewer heads for keys and values; gives [rows, tokens, heads, width]."""
    grouped = query.shape[1] != key.shape[1]
    if isinstance(attention_mask, BlockMask):
        attend = _kernel() if query.is_cuda else flex_attention
        made = attend(query, key, value, block_mask=attention_mask, scale=scaling, enable_gqa=grouped)
    else:
        made = torch.nn.functional.scaled_dot_product_attention(
            query, key, value, is_causal=attention_mask is None and query.shape[2] > 1,
            attn_mask=attention_mask, scale=scaling, enable_gqa=grouped,
        )  # fmt: skip
    return made.transpose(1, 2).contiguous(), None
