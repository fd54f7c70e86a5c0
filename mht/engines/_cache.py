"""Keys and values with room ahead: a new token is written in place, where the library's own cache copies all of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

KeysValues = tuple[torch.Tensor, torch.Tensor]
"""[rows, heads, tokens, width] each."""


class RoomyLayer(DynamicLayer):
    """A layer's keys and values in buffers of `capacity` tokens, which are doubled when they are full."""

    def __init__(self, begun: KeysValues, rows: torch.Tensor, capacity: int) -> None:
        super().__init__()
        self.is_initialized = True
        self._capacity = capacity
        self._seat(begun, rows)

    def _seat(self, begun: KeysValues, rows: torch.Tensor) -> None:
        length = begun[0].shape[2]
        self._buffers = []
        for old in begun:
            new = self._empty(old, len(rows))
            torch.index_select(old, 0, rows, out=new[:, :, :length])
            self._buffers.append(new)
        self._show(length)

    def _empty(self, like: torch.Tensor, rows: int) -> torch.Tensor:
        return like.new_empty((rows, like.shape[1], self._capacity, like.shape[3]))

    def keep_columns(self, columns: torch.Tensor) -> None:
        """Go on with these tokens, in this order."""
        shown = (self.keys, self.values)
        self._buffers = [self._empty(old, len(old)) for old in shown]
        for old, new in zip(shown, self._buffers, strict=True):
            torch.index_select(old, 2, columns, out=new[:, :, : len(columns)])
        self._show(len(columns))

    def _show(self, length: int) -> None:
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        if end > self._capacity:
            self._capacity = 2 * end
            self.keep_columns(torch.arange(start, device=self.keys.device))
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = new
        self._show(end)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self._seat((self.keys, self.values), indices)


def seated(begun: Sequence[KeysValues], rows: torch.Tensor, capacity: int) -> Cache:
    """A cache whose row i begins as row `rows[i]` of what was begun, with room for `capacity` tokens in all."""
    return Cache(layers=[RoomyLayer(layer, rows, capacity) for layer in begun])
