"""What a model of any family gives its head, taken at the head's door, so that logits of all tokens are never made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.distributed as dist


def given_to_head(whole: Any, inputs: Mapping[str, Any]) -> tuple[torch.Tensor, torch.Tensor | None]:
    """The hidden states [rows, columns, width] that the model gives its head, and the logits of its first column.

    The head itself is shown the first column alone. The logits, [rows, 1, vocabulary], are what the whole model makes
    of that: None where it makes something of another shape. `whole` must have output embeddings.
    """
    kept: list[torch.Tensor] = []

    def first_alone(_: Any, args: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, ...]:
        kept.append(args[0])
        return (args[0][:, :1], *args[1:])

    hook = whole.get_output_embeddings().register_forward_pre_hook(first_alone)
    try:
        made = whole(**inputs).logits
    finally:
        hook.remove()
    if len(kept) != 1 or made.shape[:2] != (kept[0].shape[0], 1):
        return kept[0], None
    return kept[0], made


def head_is_all(head: Any, hidden: torch.Tensor, logits: torch.Tensor | None) -> bool:
    """Whether the logits of the first column are what the head gives, with no scale and no cap behind it."""
    if logits is None:
        return False
    with torch.no_grad():
        return bool(torch.equal(head(hidden[:, :1]).float(), logits.detach().float()))


def on_every_rank(found: bool, device: torch.device) -> bool:
    """Whether it was found on all of them; every rank calls it."""
    told = torch.tensor(found, dtype=torch.int32, device=device)
    dist.all_reduce(told, op=dist.ReduceOp.MIN)
    return bool(told)
