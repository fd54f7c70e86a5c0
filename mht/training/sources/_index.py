"""Rows of files by the image that they are about: which there are, where each stands, in shards to read together."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from mht.seeds import digest
from mht.training.shards import Shard
from mht.training.sources._data_files import DataFile
from mht.training.sources._json import Place

_LARGEST = 4
"""A shard ends where a row group does, unless it would get so many times too large."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a row stands: its file by number, its place there, its number for people; whether its id came before."""

    file: int
    place: Place
    number: int
    repeated: bool


@dataclass(frozen=True, slots=True)
class Index:
    """What was found in the files. Small: five numbers a row, a name an example."""

    files: tuple[DataFile, ...]
    shards: tuple[Shard, ...]
    left_out: str
    starts: NDArray[np.int64]
    """The examples, shard by shard: where the rows of each begin, and the end of the last one's."""
    rows: NDArray[np.int64]
    """Shape (rows, 5): what a Mark has, example by example."""

    def marks(self, shard: str) -> dict[str, list[Mark]]:
        """The rows of each example of a shard, in the files' order; nothing where there is no such shard."""
        at = 0
        for found in self.shards:
            if found.name == shard:
                return {name: self._marks(at + i) for i, name in enumerate(found.example_ids)}
            at += len(found.example_ids)
        return {}

    def _marks(self, example: int) -> list[Mark]:
        rows = self.rows[self.starts[example] : self.starts[example + 1]].tolist()
        return [
            Mark(file, Place(at, extent), number, bool(again)) for file, at, extent, number, again in rows
        ]


class Gathered:
    """Rows as they are found, put together by example."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}
        self._ids: list[str] = []
        self._splits: list[str] = []
        self._together: list[str] = []
        self._units: list[tuple[int, int]] = []
        self._rows = array("q")
        self._example_of = array("q")

    def example(self, split: str, example_id: str, together: str, unit: tuple[int, int]) -> int:
        """The example's number, a new one where the split has none of this id.

        Examples of the same `together` are never divided between splits; `unit` is what is read at once.
        """
        number = self._numbers.setdefault((split, example_id), len(self._ids))
        if number == len(self._ids):
            self._ids.append(example_id)
            self._splits.append(split)
            self._together.append(together)
            self._units.append(unit)
        return number

    def add(self, example: int, mark: Mark) -> None:
        self._example_of.append(example)
        self._rows.extend((mark.file, *mark.place, mark.number, mark.repeated))

    def hold_out(self, share: float, split: str, other: str) -> None:
        """Moves so large a share of a split's examples to another: at least what is together with one."""
        there = {t for t, s in zip(self._together, self._splits, strict=True) if s == split}
        line = sorted(there, key=lambda together: digest("held out", together))
        moved = set(line[: max(1, round(share * len(line)))])
        for example, together in enumerate(self._together):
            if self._splits[example] == split and together in moved:
                self._splits[example] = other

    def rows_of(self, examples: set[int]) -> Iterator[tuple[int, int, int]]:
        """(example, file, number) of each row of these."""
        for row, example in enumerate(self._example_of):
            if example in examples:
                yield example, self._rows[5 * row], self._rows[5 * row + 3]

    def index(
        self, files: Sequence[DataFile], without: set[int], left_out: str, shard_examples: int
    ) -> Index:
        """All examples but those of `without`, in shards of about so many."""
        kept = [example for example in range(len(self._ids)) if example not in without]
        shards: list[list[int]] = []
        for split in sorted({self._splits[example] for example in kept}):
            shards += self._cut([e for e in kept if self._splits[e] == split], shard_examples)
        places = np.full(len(self._ids), -1, np.int64)
        places[[example for shard in shards for example in shard]] = np.arange(len(kept))
        of_rows = places[np.asarray(self._example_of, np.int64)]
        order = np.argsort(of_rows, kind="stable")[np.count_nonzero(of_rows < 0) :]
        counts = np.bincount(of_rows[order], minlength=len(kept))
        starts = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        rows = np.asarray(self._rows, np.int64).reshape(-1, 5)[order]
        return Index(tuple(files), tuple(self._named(shards, counts)), left_out, starts, rows)

    def _cut(self, examples: Sequence[int], size: int) -> list[list[int]]:
        shards: list[list[int]] = [[]]
        for example in examples:
            full = len(shards[-1])
            same = full > 0 and self._units[shards[-1][-1]] == self._units[example]
            if full >= (_LARGEST if same else 1) * size:
                shards.append([])
            shards[-1].append(example)
        return shards

    def _named(self, shards: Sequence[Sequence[int]], counts: NDArray[np.int64]) -> Iterator[Shard]:
        numbers: dict[str, int] = {}
        firsts = accumulate(map(len, shards), initial=0)
        for shard, first in zip(shards, firsts, strict=False):
            split = self._splits[shard[0]]
            number = numbers[split] = numbers.get(split, -1) + 1
            ids = tuple(self._ids[example] for example in shard)
            found = tuple(map(float, counts[first : first + len(shard)]))
            yield Shard(f"{split}-{number:05d}", split, ids, found)
