"""Examples in the sequences that a model reads: the image once, its exchanges behind it, each blind to the others.

A row holds one example or several. In it stand an example's prefix and then its exchanges, one behind another; a
token sees what is before it in its own example's prefix and in its own exchange. Positions restart behind the prefix
with each exchange, so a token computes what it would compute in a row of its own: sharing is exact. What it saves is
the image: 10 exchanges of 60 tokens about an image of 576 are 1,176 tokens this way and 6,360 in rows of their own.

For families that are not admitted the same `Batch` holds one row an exchange, padded on the right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import torch

from mht.model.conversation import Prepared, Suffix


@dataclass(frozen=True, slots=True)
class Batch:
    """What one forward pass reads.

    `ids`, `example`, `exchange`, `logical` are [rows, columns]: the token; the number of its example in the row, -1 for
    padding; the number of its exchange in the example, 0 for the prefix; its position in a row of its own. `positions`
    are what the model is given, [axes, rows, columns]. The learnt tokens are `targets` [n], each predicted at the flat
    place `at` [n] (row x columns + column) and of the exchange `owner` [n]; `names`, `weights` and `rejected` are the
    exchanges'. `pixels` are the images', in the order of their examples in the rows. `example_ids` are those of the
    parts of examples in the rows, in order: an example that was divided has several, in one batch or in more.
    """

    ids: torch.Tensor
    example: torch.Tensor
    exchange: torch.Tensor
    logical: torch.Tensor
    positions: torch.Tensor
    at: torch.Tensor
    targets: torch.Tensor
    owner: torch.Tensor
    names: tuple[str, ...]
    weights: torch.Tensor
    rejected: torch.Tensor
    pixels: Mapping[str, torch.Tensor]
    example_ids: tuple[str, ...]

    @property
    def examples(self) -> int:
        """Parts of examples in the rows, each with its prefix."""
        return len(self.example_ids)

    @property
    def tokens(self) -> int:
        """Tokens that are computed, padding included."""
        return int(self.ids.numel())

    @property
    def real_tokens(self) -> int:
        return int((self.example >= 0).sum())

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        moved: dict[str, Any] = {
            f.name: getattr(self, f.name).to(device)
            for f in fields(self)
            if isinstance(getattr(self, f.name), torch.Tensor)
        }
        return replace(self, pixels={n: t.to(device) for n, t in self.pixels.items()}, **moved)


@dataclass(frozen=True, slots=True)
class Placed:
    """A prepared example with the positions [axes, tokens] of its prefix and the position behind it."""

    example: Prepared
    positions: torch.Tensor
    next: int


def alone(placed: Placed) -> list[Placed]:
    """Each exchange of an example as an example of its own."""
    made = placed.example
    return [replace(placed, example=replace(made, suffixes=(suffix,))) for suffix in made.suffixes]


def pieces(placed: Placed, tokens: int) -> list[Placed]:
    """An example in parts of at most so many tokens, the prefix in each; an exchange that is longer stands alone."""
    made, parts = placed.example, [[]]  # type: tuple[Prepared, list[list[Suffix]]]
    room = tokens - len(made.prefix)
    taken = 0
    for suffix in made.suffixes:
        if parts[-1] and taken + len(suffix.ids) > room:
            parts.append([])
            taken = 0
        parts[-1].append(suffix)
        taken += len(suffix.ids)
    return [replace(placed, example=replace(made, suffixes=tuple(part))) for part in parts]


def pack(placed: Sequence[Placed], tokens: int, share: bool, several: bool = False) -> list[Batch]:
    """Batches of at most `tokens` tokens, padding included, for all exchanges of the examples.

    `share` is False for families that are not admitted. `several` puts examples behind each other in one row, for
    attention that skips what is masked; without it a row is one example and rows of like length come together. An
    exchange that is longer than `tokens` makes a batch of its own.
    """
    parts = [p for one in placed for p in (pieces(one, tokens) if share else alone(one))]
    parts.sort(key=lambda p: p.example.tokens, reverse=True)
    groups = _behind_each_other(parts, tokens) if several and share else _side_by_side(parts, tokens)
    return [_batch(rows) for rows in groups]


def _side_by_side(parts: Sequence[Placed], tokens: int) -> Iterator[list[list[Placed]]]:
    rows: list[list[Placed]] = []
    for part in parts:  # the longest comes first, so it gives the width
        if rows and rows[0][0].example.tokens * (len(rows) + 1) > tokens:
            yield rows
            rows = []
        rows.append([part])
    if rows:
        yield rows


def _behind_each_other(parts: Sequence[Placed], tokens: int) -> Iterator[list[list[Placed]]]:
    """First fit, the longest first."""
    bins: list[tuple[int, list[Placed]]] = []
    for part in parts:
        size = part.example.tokens
        at = next((i for i, (taken, _) in enumerate(bins) if taken + size <= tokens), None)
        if at is None:
            bins.append((size, [part]))
        else:
            bins[at] = (bins[at][0] + size, [*bins[at][1], part])
    yield from ([row] for _, row in bins)


@dataclass(slots=True)
class _Row:
    """A row as it grows. `targets` are (column that predicts, token, number of the exchange in the batch)."""

    ids: list[int] = field(default_factory=list)
    example: list[int] = field(default_factory=list)
    exchange: list[int] = field(default_factory=list)
    logical: list[int] = field(default_factory=list)
    positions: list[torch.Tensor] = field(default_factory=list)
    targets: list[tuple[int, int, int]] = field(default_factory=list)

    def add(self, placed: Placed, number: int, first: int) -> None:
        """An example, its exchanges numbered from `first` in the batch."""
        made = placed.example
        end = len(self.ids) + len(made.prefix) - 1
        self._put(made.prefix, number, 0, range(len(made.prefix)), placed.positions)
        for place, suffix in enumerate(made.suffixes):
            start = len(self.ids)
            for i, learnt in enumerate(suffix.learnt):
                if learnt:
                    self.targets.append((start + i - 1 if i else end, suffix.ids[i], first + place))
            count = len(suffix.ids)
            behind = (torch.arange(count) + placed.next).expand(len(placed.positions), count)
            self._put(
                suffix.ids, number, place + 1, range(len(made.prefix), len(made.prefix) + count), behind
            )

    def _put(self, ids: list[int], example: int, exchange: int, logical: range, at: torch.Tensor) -> None:
        self.ids += ids
        self.example += [example] * len(ids)
        self.exchange += [exchange] * len(ids)
        self.logical += logical
        self.positions.append(at)


def _batch(rows: Sequence[Sequence[Placed]]) -> Batch:
    made: list[_Row] = []
    suffixes: list[Suffix] = []
    for row in rows:
        made.append(_Row())
        for number, placed in enumerate(row):
            made[-1].add(placed, number, len(suffixes))
            suffixes += placed.example.suffixes
    width = max(len(row.ids) for row in made)
    targets = [(i * width + at, token, who) for i, row in enumerate(made) for at, token, who in row.targets]
    at, token, owner = (torch.tensor([t[k] for t in targets], dtype=torch.long) for k in range(3))
    return Batch(
        ids=_padded([row.ids for row in made], width, 0),
        example=_padded([row.example for row in made], width, -1),
        exchange=_padded([row.exchange for row in made], width, 0),
        logical=_padded([row.logical for row in made], width, 0),
        positions=torch.stack([_wide(torch.cat(row.positions, 1), width) for row in made], dim=1),
        at=at,
        targets=token,
        owner=owner,
        names=tuple(suffix.exchange_id for suffix in suffixes),
        weights=torch.tensor([suffix.weight for suffix in suffixes]),
        rejected=torch.tensor([suffix.rejected for suffix in suffixes]),
        pixels=_images([placed.example.pixels for row in rows for placed in row]),
        example_ids=tuple(placed.example.example_id for row in rows for placed in row),
    )


def _padded(rows: Sequence[Sequence[int]], width: int, fill: int) -> torch.Tensor:
    return torch.tensor([[*row, *[fill] * (width - len(row))] for row in rows])


def _wide(positions: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.pad(positions, (0, width - positions.shape[1]))


def _images(pixels: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The images' tensors behind each other; smaller ones are filled with zeros, as the processors themselves do."""
    there = [one for one in pixels if one]
    return {name: _stacked([one[name] for one in there]) for name in (there[0] if there else {})}


def _stacked(tensors: Sequence[torch.Tensor]) -> torch.Tensor:
    largest = [max(sizes) for sizes in zip(*(t.shape[1:] for t in tensors), strict=True)]
    filled = []
    for tensor in tensors:
        more = [
            room for size, most in zip(tensor.shape[1:], largest, strict=True) for room in (most - size, 0)
        ]
        filled.append(torch.nn.functional.pad(tensor, more[::-1]) if any(more) else tensor)
    return torch.cat(filled)


def visible(batch: Batch, window: int | None = None, image_id: int | None = None) -> torch.Tensor:
    """Who sees whom, [rows, 1, columns, columns]: true where the query of the row's third axis sees the fourth's key.

    `window` is how many tokens back a layer sees. `image_id` is the token of images whose tokens see each other both
    ways. A padding column sees itself, so that no softmax is over nothing.
    """
    column = torch.arange(batch.ids.shape[1], device=batch.ids.device)
    example, exchange = batch.example, batch.exchange
    same = (example[:, :, None] == example[:, None]) & (example >= 0)[:, None]
    own = (exchange[:, None] == 0) | (exchange[:, :, None] == exchange[:, None])
    seen = same & own & (column[:, None] >= column)
    if image_id is not None:
        run = images(batch, image_id)
        seen |= (run[:, :, None] == run[:, None]) & (run > 0)[:, None]
    if window is not None:
        seen &= batch.logical[:, :, None] - batch.logical[:, None] < window
    return (seen | (column[:, None] == column))[:, None]


def images(batch: Batch, image_id: int) -> torch.Tensor:
    """Which image a token is of, [rows, columns]: the number of the run of image tokens in its row, 0 for others."""
    there = batch.ids == image_id
    begins = there & ~torch.nn.functional.pad(there, (1, 0))[:, :-1]
    return torch.where(there, begins.cumsum(1), 0)
