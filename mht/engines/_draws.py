"""The next token of each row of a batch: the likeliest, or a draw that is the row's own."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from mht.generation import Request

NOT_FINITE = -1
"""What stands for the token of a row whose logits are not all finite."""


class Draws:
    """One generator a request, from its seed: a row draws the same numbers in any batch and on any device.

    A draw is one number in [0, 1) and the place where it falls among the probabilities, the largest first.
    """

    def __init__(self, requests: Sequence[Request]) -> None:
        self._requests = list(requests)
        self._rngs = [random.Random(request.seed) for request in requests]

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only."""
        self._requests = [self._requests[row] for row in rows]
        self._rngs = [self._rngs[row] for row in rows]

    def choose(self, logits: torch.Tensor) -> list[int]:
        """A token for each row of [rows, vocabulary]; NOT_FINITE for one whose logits are not."""
        chosen = logits.argmax(-1)
        hot = [row for row, request in enumerate(self._requests) if request.temperature > 0]
        if hot:
            chosen[hot] = self._drawn(logits[hot].float(), hot)
        tokens: list[int] = chosen.masked_fill(~torch.isfinite(logits).all(-1), NOT_FINITE).tolist()
        return tokens

    def _drawn(self, logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        asked = [self._requests[row] for row in rows]
        column = {"dtype": torch.float64, "device": logits.device}
        temperature = torch.tensor([[request.temperature] for request in asked], **column)
        top_p = torch.tensor([[request.top_p] for request in asked], **column)
        number = torch.tensor([[self._rngs[row].random()] for row in rows], **column)
        likely, order = torch.softmax(logits / temperature, -1).sort(dim=-1, descending=True, stable=True)
        before = likely.cumsum(-1) - likely
        # The fewest tokens whose probabilities sum to top_p; the first is always among them.
        mass = (likely * ((before < top_p) | (before == 0))).cumsum(-1)
        place = torch.searchsorted(mass, number * mass[:, -1:], right=True)
        return order.gather(-1, place.clamp(max=mass.shape[-1] - 1)).squeeze(-1)
