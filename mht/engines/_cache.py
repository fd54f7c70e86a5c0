"""Keys and values with room ahead: a new token is written in place, where the library's own cache copies all of it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import Cache
from transformers.cache_utils import DynamicLayer

KeysValues = tuple[torch.Tensor, torch.Tensor]
"""[rows, heads, tokens, width] each."""


class RoomyLayer(DynamicLayer):
    """A layer's keys and values in buffers of `capacity` tokens."""

    def __init__(self, begun: KeysValues, rows: torch.Tensor, capacity: int) -> None:
        super().__init__()
        self.is_initialized = True
        self._capacity = capacity
        self._seat(begun, rows)

    def _seat(self, begun: KeysValues, rows: torch.Tensor) -> None:
        length = begun[0].shape[2]
        self._buffers = []
        for old in begun:
            heads, width = old.shape[1], old.shape[3]
            new = old.new_empty((len(rows), heads, self._capacity, width))
            torch.index_select(old, 0, rows, out=new[:, :, :length])
            self._buffers.append(new)
        self._show(length)

    def _show(self, length: int) -> None:
        self.keys, self.values = (buffer[:, :, :length] for buffer in self._buffers)

    def update(
        self, key_states: torch.Tensor, value_states: torch.Tensor, *_: object, **__: object
    ) -> tuple[torch.Tensor, torch.Tensor]:
        start, end = self.keys.shape[2], self.keys.shape[2] + key_states.shape[2]
        for buffer, new in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[:, :, start:end] = new
        self._show(end)
        return self.keys, self.values

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        self._seat((self.keys, self.values), indices)


def seated(begun: Sequence[KeysValues], rows: torch.Tensor, capacity: int) -> Cache:
    """A cache whose row i begins as row `rows[i]` of what was begun, with room for `capacity` tokens in all."""
    return Cache(layers=[RoomyLayer(layer, rows, capacity) for layer in begun])
