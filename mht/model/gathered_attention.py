"""Attention of the language model over what each exchange sees, by plain kernels: for machines without FlexAttention.

Under a dense mask ten exchanges behind an image pay for each other, 3 times what they see. Here the columns of each are
gathered, its prefix's before its own, so that exchanges stand beside each other for this one operation: the prefixes by
a causal kernel, the exchanges under a small mask. The linear layers before and after see the packed row.

This registers a function of our own in the table of transformers and points the language model at it; the vision tower
keeps its own. Without a layout (the model alone, in validation) it is the library's own attention.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from mht.model.packing import Batch

NAME = "shared_image_gathered"
ARGUMENT = "exchange_columns"
"""The argument of the model's forward that holds the layout."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where a batch's tokens stand, as flat places (row x columns + column).

    `prefixes` [examples, longest], filled up with any place behind; `own` [exchanges, longest] and, in the same rows,
    `seen` [exchanges, longest prefix + longest own]. `mask` is 0 or -inf, [exchanges or 1, 1, own, seen]. `back`
    [rows x columns] is where each token is in the prefixes' results with the exchanges' behind them. `alone`: each row
    holds one exchange, for which plain causal attention will do, and the rest is empty.
    """

    prefixes: torch.Tensor
    own: torch.Tensor
    seen: torch.Tensor
    mask: torch.Tensor
    back: torch.Tensor
    alone: bool = False


def use_gathered(language_model: Any) -> None:
    """Point a language model's layers at this attention; a forward is given `columns` of its batch as ARGUMENT."""
    AttentionInterface.register(NAME, _attend)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    language_model.config._attn_implementation = NAME


def columns(batch: Batch, dtype: torch.dtype) -> Columns:
    """The layout of a batch whose layers compute in `dtype`, on the batch's device."""
    device = batch.ids.device
    if batch.examples == len(batch.names) == len(batch.ids):
        none = batch.ids.new_empty(0)
        return Columns(none, none, none, none, none, alone=True)
    prefixes, exchanges, owners = _places(batch)
    before, before_real = _filled(prefixes)
    own, own_real = _filled(exchanges)
    of = torch.tensor(owners)
    real = torch.cat([before_real[of], own_real], 1)
    if bool((real == real[:1]).all()):
        real = real[:1]
    longest = own.shape[1]
    causal = torch.ones(longest, before.shape[1] + longest, dtype=torch.bool).tril(before.shape[1])
    # Padding sees itself at least: its own column is real to it, and no softmax is over nothing.
    itself = torch.zeros_like(causal)
    itself[:, before.shape[1] :].fill_diagonal_(True)
    seen = (causal & real[:, None]) | itself
    mask = torch.zeros(seen.shape, dtype=dtype).masked_fill(~seen, float("-inf"))[:, None]
    back = torch.zeros(batch.ids.numel(), dtype=torch.long)
    places = torch.cat([before.flatten()[before_real.flatten()], own.flatten()[own_real.flatten()]])
    back[places] = torch.cat([before_real.flatten(), own_real.flatten()]).nonzero()[:, 0]
    every = (before, own, torch.cat([before[of], own], 1), mask, back)
    return Columns(*(one.to(device) for one in every))


def _places(batch: Batch) -> tuple[list[torch.Tensor], list[torch.Tensor], list[int]]:
    """Flat places of each prefix, of each exchange, and which prefix an exchange is behind; in the rows' order."""
    example, exchange = batch.example.cpu().flatten(), batch.exchange.cpu().flatten()
    row = torch.arange(len(example)) // batch.ids.shape[1]
    key = torch.stack([row, example, exchange])[:, example >= 0]
    place = torch.arange(len(example))[example >= 0]
    kinds, counts = torch.unique_consecutive(key, dim=1, return_counts=True)
    prefixes: list[torch.Tensor] = []
    exchanges: list[torch.Tensor] = []
    owners: list[int] = []
    last = None
    for (*of, number), found in zip(kinds.T.tolist(), place.split(counts.tolist()), strict=True):
        if of != last:
            # Text may begin with nothing that all share.
            prefixes.append(found if number == 0 else found[:0])
            last = of
        if number:
            exchanges.append(found)
            owners.append(len(prefixes) - 1)
    return prefixes, exchanges, owners


def _filled(places: list[torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor]:
    """(the places in rows of one length, at least one, filled up with the first of all; which of them are real)"""
    lengths = torch.tensor([len(one) for one in places])
    width = max(int(lengths.max()), 1)
    filled = torch.stack([torch.nn.functional.pad(one, (0, width - len(one))) for one in places])
    return filled, torch.arange(width) < lengths[:, None]


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
    layout: Columns | None = more.pop(ARGUMENT, None)
    made: tuple[torch.Tensor, None]
    if layout is None:
        made = sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **more)
        return made
    if layout.alone:
        made = sdpa_attention_forward(module, query, key, value, None, scaling=scaling, is_causal=True)
        return made
    rows, heads, tokens, width = query.shape
    asks, keys, values = (one.transpose(1, 2).flatten(0, 1).flatten(1) for one in (query, key, value))

    def part(these: torch.Tensor, those: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """[groups x longest, heads x width]"""
        taken = [_taken(one, at, width) for one, at in ((asks, these), (keys, those), (values, those))]
        done = torch.nn.functional.scaled_dot_product_attention(
            taken[0], taken[1], taken[2], attn_mask=mask, is_causal=mask is None, scale=scaling,
            enable_gqa=heads != key.shape[1],
        )  # fmt: skip
        return done.transpose(1, 2).flatten(2).flatten(0, 1)

    whole = torch.cat([
        part(layout.prefixes, layout.prefixes, None),
        part(layout.own, layout.seen, layout.mask.to(query.dtype)),
    ])  # fmt: skip
    return whole.index_select(0, layout.back).view(rows, tokens, heads, width), None


def _taken(flat: torch.Tensor, at: torch.Tensor, width: int) -> torch.Tensor:
    """Of [tokens, heads x width] those at [groups, longest]: [groups, heads, longest, width]."""
    return flat.index_select(0, at.flatten()).view(*at.shape, -1, width).transpose(1, 2)
