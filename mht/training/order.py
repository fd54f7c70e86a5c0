"""Which example is learnt when: a permutation an epoch, cut into steps, each step divided among the ranks.

Nothing here depends on the world's size but the division of a step, so that a position means the same on any number
of ranks. Only the raw streams of NumPy's Philox are used, which NumPy keeps the same from version to version.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from mht.config_train import OrderParams
from mht.seeds import digest

Indices: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Position:
    """The step to be taken next; steps count from 0 in each epoch."""

    epoch: int
    step: int


@dataclass(frozen=True, slots=True)
class Window:
    """Shards that are read together, by their number; their examples stand at `start` to `stop` of the epoch."""

    shards: tuple[int, ...]
    start: int
    stop: int


class Order:
    """The order of examples, which are numbered shard by shard from 0."""

    def __init__(self, exchange_counts: Sequence[Sequence[float]], seed: int, params: OrderParams) -> None:
        """`exchange_counts` is, shard by shard, how many exchanges each example has."""
        self._seed = seed
        self._window_shards = params.window_shards
        sizes = [len(counts) for counts in exchange_counts]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        flat = np.fromiter((c for counts in exchange_counts for c in counts), np.float64, sum(sizes))
        self._costs = flat + params.image_cost

    @property
    def n_examples(self) -> int:
        return int(self._starts[-1])

    def n_steps(self, examples_per_step: int) -> int:
        """Steps in an epoch; the last one may be short."""
        return -(-self.n_examples // examples_per_step)

    def windows(self, epoch: int) -> list[Window]:
        """The epoch's windows in the order they are read."""
        shards = _permutation(len(self._starts) - 1, self._seed, "order of shards", epoch)
        windows = []
        start = 0
        for at in range(0, len(shards), self._window_shards):
            taken = shards[at : at + self._window_shards]
            stop = start + int((self._starts[taken + 1] - self._starts[taken]).sum())
            windows.append(Window(tuple(map(int, taken)), start, stop))
            start = stop
        return windows

    def examples(self, epoch: int) -> Indices:
        """Every example once: int64 of shape (n_examples,)."""
        out = np.empty(self.n_examples, np.int64)
        for number, window in enumerate(self.windows(epoch)):
            there = np.concatenate(
                [np.arange(self._starts[shard], self._starts[shard + 1]) for shard in window.shards]
            )
            mixed = _permutation(len(there), self._seed, "order of examples", epoch, number)
            out[window.start : window.stop] = there[mixed]
        return out

    def steps(self, epoch: int, examples_per_step: int, first: int = 0) -> Iterator[Indices]:
        """The examples of each step of the epoch from step `first` on."""
        examples = self.examples(epoch)
        for start in range(first * examples_per_step, len(examples), examples_per_step):
            yield examples[start : start + examples_per_step]

    def rest(
        self, position: Position, examples_per_step: int, epochs: int
    ) -> Iterator[tuple[Position, Indices]]:
        """What is left of `epochs` epochs: each step with its position."""
        for epoch in range(position.epoch, epochs):
            first = position.step if epoch == position.epoch else 0
            for step, examples in enumerate(self.steps(epoch, examples_per_step, first), start=first):
                yield Position(epoch, step), examples

    def part(self, examples: Indices, rank: int, world: int) -> Indices:
        """The examples of a step that a rank takes, in the step's order: none where there are fewer than ranks.

        The costliest example first, each goes to the rank with the least so far.
        """
        ranks = [(0.0, one) for one in range(world)]
        taken = []
        costs = self._costs[examples]
        for index in np.argsort(-costs, kind="stable"):
            cost, one = ranks[0]
            heapq.heapreplace(ranks, (cost + float(costs[index]), one))
            if one == rank:
                taken.append(int(index))
        return examples[np.array(sorted(taken), np.int64)]

    def places(self, examples: Indices) -> tuple[Indices, Indices]:
        """(shard, place in the shard) of each example, both by number."""
        shards = np.searchsorted(self._starts, examples, side="right").astype(np.int64) - 1
        return shards, examples - self._starts[shards]


def _permutation(n: int, *key: object) -> Indices:
    """0 to n-1, shuffled by the key."""
    bits = np.random.Philox(key=int.from_bytes(digest(*key), "big"))
    return np.argsort(bits.random_raw(n), kind="stable").astype(np.int64)
