"""Attention of the language model by FlexAttention over a block mask, for any family of transformers.

The library's own door to FlexAttention is shut for some families (Qwen2.5-VL among them), so this registers a function
of our own in its table of attention functions and points the language model at it; the vision tower keeps its own.
Compiled kernels exist for CUDA. Without a block mask (the model alone, in the proof and in validation) it is the
library's own attention under the mask that the model makes: padding, windows and images that see themselves both ways.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch
from torch.nn.attention.flex_attention import BlockMask, flex_attention
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

NAME = "shared_image_blocks"


def use_blocks(language_model: Any) -> None:
    """Point a language model's layers at this attention; packed rows come with `block_mask.block_mask` for a mask."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    language_model.config._attn_implementation = NAME


@lru_cache(maxsize=1)
def _kernel() -> Any:
    return torch.compile(flex_attention, dynamic=True)


def _attend(
    module: Any,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: BlockMask | torch.Tensor | None,
    scaling: float | None = None,
    **more: Any,
) -> tuple[torch.Tensor, None]:
    """[rows, heads, tokens, width] each, fewer heads for keys and values; gives [rows, tokens, heads, width]."""
    if not isinstance(attention_mask, BlockMask):
        plain: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **more
        )
        return plain
    attend = _kernel() if query.is_cuda else flex_attention
    grouped = query.shape[1] != key.shape[1]
    made = attend(query, key, value, block_mask=attention_mask, scale=scaling, enable_gqa=grouped)
    return made.transpose(1, 2).contiguous(), None
