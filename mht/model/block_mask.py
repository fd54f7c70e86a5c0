"""Who sees whom as FlexAttention's block mask: blocks of a row that see nothing of another are not computed.

On a GPU this lets examples stand behind each other in one long row at the cost of what they see. The blocks are told
from where exchanges, images and blocks begin, so that no mask of [columns, columns] is ever in memory: the library's
own `create_block_mask` makes one, 2.5 GB on the way at 16,384 columns. Compiled kernels exist for CUDA; elsewhere
`packing.visible` serves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.nn.attention.flex_attention import BlockMask

from mht.model.packing import Batch, images

BLOCK = 128
"""Columns of a block; the last one of a row may have fewer."""


def block_mask(
    batch: Batch, window: int | None = None, image_id: int | None = None, block: int = BLOCK
) -> BlockMask:
    """The mask of `packing.visible`, by blocks; what `create_block_mask` would make of it."""
    run = images(batch, image_id) if image_id is not None else torch.zeros_like(batch.ids)
    pieces = _pieces(batch, run, block)
    some, every = _by_block(pieces, window, batch.ids.shape[1], block)
    columns = batch.ids.shape[1]
    return BlockMask.from_kv_blocks(
        *_listed(some & ~every), *_listed(every), BLOCK_SIZE=block, seq_lengths=(columns, columns),
        mask_mod=_sees(batch, run if image_id is not None else None, window),
    )  # fmt: skip


def _sees(
    batch: Batch, run: torch.Tensor | None, window: int | None
) -> Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]:
    example, exchange, logical = batch.example, batch.exchange, batch.logical

    def sees(row: torch.Tensor, head: torch.Tensor, asks: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
        same = (example[row, asks] == example[row, key]) & (example[row, asks] >= 0)
        own = (exchange[row, key] == 0) | (exchange[row, key] == exchange[row, asks])
        seen = same & own & (asks >= key)
        if run is not None:
            seen = seen | ((run[row, asks] == run[row, key]) & (run[row, asks] > 0))
        if window is not None:
            seen = seen & (logical[row, asks] - logical[row, key] < window)
        return seen | (asks == key)

    return sees


@dataclass(frozen=True, slots=True)
class _Pieces:
    """Columns behind each other in one block, one exchange and one image or none, whose positions count up by one.

    [rows, most pieces] each: the `first` column and the `last`, their positions `low` and `high`, what the piece is of.
    Rows of fewer are filled up with pieces that are not `real`.
    """

    first: torch.Tensor
    last: torch.Tensor
    low: torch.Tensor
    high: torch.Tensor
    example: torch.Tensor
    exchange: torch.Tensor
    run: torch.Tensor
    real: torch.Tensor


def _pieces(batch: Batch, run: torch.Tensor, block: int) -> _Pieces:
    rows, columns = batch.ids.shape
    begins = torch.arange(columns, device=run.device).expand(rows, columns) % block == 0
    for kind in (batch.example, batch.exchange, run):
        begins[:, 1:] |= kind[:, 1:] != kind[:, :-1]
    # Padding has no positions, and sees nothing.
    begins[:, 1:] |= (batch.logical[:, 1:] - batch.logical[:, :-1] != 1) & (batch.example[:, 1:] >= 0)
    number = begins.cumsum(1) - 1
    row, column = begins.nonzero(as_tuple=True)
    first = torch.full((rows, int(number.max()) + 1), columns, device=run.device)
    first[row, number[row, column]] = column
    last = torch.nn.functional.pad(first[:, 1:], (0, 1), value=columns) - 1
    at, end = first.clamp(max=columns - 1), last.clamp(max=columns - 1)
    return _Pieces(
        first=first, last=last, low=batch.logical.gather(1, at), high=batch.logical.gather(1, end),
        example=batch.example.gather(1, at), exchange=batch.exchange.gather(1, at), run=run.gather(1, at),
        real=first < columns,
    )  # fmt: skip


def _by_block(
    pieces: _Pieces, window: int | None, columns: int, block: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Whether a query of the block sees a key of the other, and whether each sees each; [rows, blocks, blocks]."""
    some, every = _by_piece(pieces, window)
    count = -(-columns // block)
    of = pieces.first // block
    inside = of[:, None] == torch.arange(count, device=of.device)[:, None]
    gathered = inside.float()
    some_of = gathered @ some.float() @ gathered.mT > 0
    every_of = gathered @ (~every).float() @ gathered.mT == 0
    # A block that is cut short is never taken as a whole.
    every_of[:, columns // block :] = False
    every_of[:, :, columns // block :] = False
    return some_of, every_of


def _by_piece(pieces: _Pieces, window: int | None) -> tuple[torch.Tensor, torch.Tensor]:
    """The same of pieces: all of one sees all of another or nothing, but for itself and at a window's edge."""

    def asks(one: torch.Tensor) -> torch.Tensor:
        return one[:, :, None]

    def key(one: torch.Tensor) -> torch.Tensor:
        return one[:, None]

    same = (asks(pieces.example) == key(pieces.example)) & (asks(pieces.example) >= 0)
    own = (key(pieces.exchange) == 0) | (key(pieces.exchange) == asks(pieces.exchange))
    whole = same & own & (asks(pieces.first) > key(pieces.first))
    whole |= (asks(pieces.run) == key(pieces.run)) & (asks(pieces.run) > 0)
    itself = torch.eye(pieces.first.shape[1], dtype=torch.bool, device=pieces.first.device)
    alone = itself & asks(pieces.first == pieces.last)
    some, every = whole, whole
    if window is not None:
        some = some & (asks(pieces.low) - key(pieces.high) < window)
        every = every & (asks(pieces.high) - key(pieces.low) < window)
    real = asks(pieces.real) & key(pieces.real)
    return (some | itself) & real, every | alone | ~real


def _listed(blocks: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """How many blocks each row of blocks sees, [rows, 1, blocks], and all, those first, [rows, 1, blocks, blocks]."""
    seen = blocks[:, None].int()
    order = seen.argsort(dim=-1, descending=True, stable=True)
    return seen.sum(-1, dtype=torch.int32), order.int()
