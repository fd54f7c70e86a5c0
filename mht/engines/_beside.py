"""Rows that share a few beginnings, read on beside each other in one sequence: an image's keys are held and read once.

Columns: the beginnings, then the rests, then what is fed, in the order in which it comes. What a row sees of them is a
mask, and a token's position counts what is before it in its own row, so that a row computes what it would compute
alone. A reply that has ended is fed no more and costs nothing from then on.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import Cache

from mht.engines._cache import KeysValues, seated
from mht.engines._model import Begun, Loaded
from mht.engines._prompts import Prompt

_AHEAD = 32
"""Room for so many tokens a row at first; it doubles where replies are longer."""


class Beside:
    """As `_shared.Rows`, for rows of few beginnings. What is not finite in one row may spread to the others."""

    drops_at_once = True

    def __init__(
        self, loaded: Loaded, begun: Begun, seats: Sequence[tuple[int, int]], prompts: Sequence[Prompt]
    ) -> None:
        self._loaded = loaded
        lengths = dict(seats)
        owners = [row for row, n in lengths.items() for _ in range(n)]
        rests = [prompt.ids[n:] for prompt, (_, n) in zip(prompts, seats, strict=True)]
        capacity = len(owners) + sum(map(len, rests)) + _AHEAD * len(rests)
        layers = [_side_by_side(layer, lengths) for layer in begun.layers]
        self._cache: Cache = seated(layers, torch.zeros(1, dtype=torch.long, device=loaded.device), capacity)
        at = torch.tensor([row for row, _ in seats], device=loaded.device)
        self._sees = at[:, None] == torch.tensor(owners, device=loaded.device)
        self._at = torch.cat([torch.arange(n, device=loaded.device) for n in lengths.values()])
        self._count = torch.tensor([n for _, n in seats], device=loaded.device)
        self._next = begun.next[at]
        self.logits = begun.logits[at]
        if any(rests):
            self._read(rests)

    def feed(self, tokens: Sequence[int]) -> None:
        """One further token a row."""
        self._read([[token] for token in tokens])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows, in this order; a row may be taken twice."""
        at = torch.tensor(rows, device=self._loaded.device)
        self._sees, self._next, self.logits = self._sees[at], self._next[at], self.logits[at]
        self._count = self._count[at]
        seen = self._sees.any(0)
        columns = seen.nonzero()[:, 0]
        if 2 * len(columns) < len(seen):
            self._sees, self._at = self._sees[:, columns], self._at[columns]
            for layer in self._cache.layers:
                layer.keep_columns(columns)

    def _read(self, tokens: Sequence[Sequence[int]]) -> None:
        """Some tokens for each row, at least one."""
        device = self._loaded.device
        counts = torch.tensor([len(of) for of in tokens])
        row = torch.arange(len(tokens)).repeat_interleave(counts)
        ends = counts.cumsum(0)
        place = torch.arange(len(row)) - (ends - counts)[row]
        own = row[:, None] == row
        row, place, last = row.to(device), place.to(device), (ends - 1).to(device)
        mask = torch.cat([self._sees[row], own.tril().to(device)], 1)[None, None]
        positions = (self._next[row] + place)[None]
        ids = torch.tensor([[token for of in tokens for token in of]], device=device)
        asking = self._count[row] + place
        self._at = torch.cat([self._at, asking])
        masks = self._loaded.sight.by_layer(mask, asking[None], self._at[None])
        self._sees = torch.cat([self._sees, own[ends - 1].to(device)], 1)
        self._next, self._count = self._next + counts.to(device), self._count + counts.to(device)
        self.logits = self._loaded.forward(ids, masks, self._loaded.further(positions), self._cache, {}, last)


def _side_by_side(layer: KeysValues, lengths: dict[int, int]) -> KeysValues:
    """The beginnings of some rows in one, without their padding."""
    keys, values = (
        torch.cat([whole[row : row + 1, :, whole.shape[2] - n :] for row, n in lengths.items()], 2)
        for whole in layer
    )
    return keys, values
