"""Who sees whom as FlexAttention's block mask: blocks of a row that see nothing of another are not computed.

On a GPU this lets examples stand behind each other in one long row at the cost of what they see, and needs no mask of
[columns, columns] in memory. Compiled kernels exist for CUDA; elsewhere `packing.visible` serves.
"""

from __future__ import annotations

import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask

from mht.model.packing import Batch, images

BLOCK = 128
"""Columns of a block; rows are padded to a multiple of it."""


def block_mask(
    batch: Batch, window: int | None = None, image_id: int | None = None, block: int = BLOCK
) -> BlockMask:
    """The mask of `packing.visible`, by blocks."""
    example, exchange, logical = batch.example, batch.exchange, batch.logical
    run = images(batch, image_id) if image_id is not None else None

    def sees(row: torch.Tensor, head: torch.Tensor, asks: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        same = (example[row, asks] == example[row, key]) & (example[row, asks] >= 0)
        own = (exchange[row, key] == 0) | (exchange[row, key] == exchange[row, asks])
        seen = same & own & (asks >= key)
        if run is not None:
            seen = seen | ((run[row, asks] == run[row, key]) & (run[row, asks] > 0))
        if window is not None:
            seen = seen & (logical[row, asks] - logical[row, key] < window)
        return seen | (asks == key)

    rows, columns = batch.ids.shape
    return create_block_mask(
        sees, rows, None, columns, columns, device=str(batch.ids.device), BLOCK_SIZE=block
    )
