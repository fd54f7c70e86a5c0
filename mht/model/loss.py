"""Cross-entropy of the learnt tokens without the logits of all tokens in memory.

Only what predicts a learnt token goes through the language model's head, some tokens at a time, and the logits of those
are computed again on the way back: of [tokens, vocabulary] no more than [chunk, vocabulary] exists at any time. With
150,000 words and 8,192 tokens the whole would be 4.9 GB in float32, and as much again for its gradient. The last chunk
is the first on the way back, so its logits stay.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch.utils.checkpoint import checkpoint

Head = Callable[[torch.Tensor], torch.Tensor]
"""Hidden states [tokens, width] to logits [tokens, vocabulary]."""


def token_losses(hidden: torch.Tensor, head: Head, targets: torch.Tensor, chunk: int) -> torch.Tensor:
    """-log p of each target, float32 [tokens]; `hidden` [tokens, width] predicts `targets` [tokens]."""
    if not len(targets):
        # Still a function of the hidden states, so that a backward pass finds its way through the model.
        return hidden.sum(dim=-1).float() * 0
    *pieces, (piece, wanted) = zip(hidden.split(chunk), targets.split(chunk), strict=True)
    before = [checkpoint(_losses, one, head, of, use_reentrant=False) for one, of in pieces]
    return torch.cat([*before, _losses(piece, head, wanted)])


def _losses(hidden: torch.Tensor, head: Head, targets: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.cross_entropy(head(hidden).float(), targets, reduction="none")
