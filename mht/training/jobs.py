"""What a rank reads and learns in each step, from any step on: plain data, the same on any machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mht.config_train import OrderParams
from mht.model.examples import Example
from mht.training.order import Order, Position
from mht.training.shards import Shard, Source

READER_CPUS = 0.25
"""Of the process that reads shards, which mostly waits."""


@dataclass(frozen=True, slots=True)
class Job:
    """A rank's part of a step. `reads` are (shard, ids of its examples); none where there are fewer than ranks.

    `whole` asks for every exchange that an epoch may hold, drawn in this one or not.
    """

    step: int
    epoch: int
    reads: tuple[tuple[str, tuple[str, ...]], ...]
    whole: bool = False


@dataclass(frozen=True)
class Agenda:
    """Every step of a run, as data that can be sent to every rank. Steps count from 0 over all epochs.

    `whole` is as of its jobs.
    """

    shards: tuple[Shard, ...]
    seed: int
    params: OrderParams
    step_examples: int
    epochs: int
    max_steps: int | None
    whole: bool = False

    def once(self) -> Agenda:
        """Each example that the run will meet, once and whole."""
        return replace(self, epochs=1, whole=True)

    def order(self) -> Order:
        return Order([shard.exchange_counts for shard in self.shards], self.seed, self.params)

    def steps_an_epoch(self) -> int:
        return self.order().n_steps(self.step_examples)

    def total(self) -> int:
        """Steps of the whole run."""
        every = self.steps_an_epoch() * self.epochs
        return every if self.max_steps is None else min(every, self.max_steps)

    def jobs(self, first: int, rank: int, world: int) -> Iterator[Job]:
        """A rank's jobs from step `first` on."""
        order, an_epoch, total = self.order(), self.steps_an_epoch(), self.total()
        begin = Position(*divmod(first, an_epoch))
        for step, (position, examples) in enumerate(
            order.rest(begin, self.step_examples, self.epochs), start=first
        ):
            if step >= total:
                return
            reads = self._reads(order, order.part(examples, rank, world))
            yield Job(step, position.epoch, reads, self.whole)

    def _reads(self, order: Order, examples: Any) -> tuple[tuple[str, tuple[str, ...]], ...]:
        wanted: dict[str, list[str]] = {}
        for shard, place in zip(*order.places(examples), strict=True):
            one = self.shards[int(shard)]
            wanted.setdefault(one.name, []).append(one.example_ids[int(place)])
        return tuple((name, tuple(ids)) for name, ids in wanted.items())


class Reader:
    """Reads jobs' examples. The shards of the last jobs stay in memory, so that each is read once in its window."""

    def __init__(self, source: Source, shards: Sequence[Shard], keep: int) -> None:
        self._source = source
        self._ids = {shard.name: shard.example_ids for shard in shards}
        self._keep = keep
        self._read: dict[tuple[str, int | None], dict[str, Example]] = {}

    def read(self, job: Job) -> list[Example]:
        """The job's examples; those without an exchange in this epoch are left out."""
        epoch = None if job.whole else job.epoch
        found = [self._shard(name, epoch)[one] for name, ids in job.reads for one in ids]
        return [example for example in found if example.exchanges]

    def _shard(self, name: str, epoch: int | None) -> dict[str, Example]:
        key = (name, epoch)
        there = self._read.pop(key, None)
        if there is None:
            while len(self._read) >= self._keep:
                self._read.pop(next(iter(self._read)))
            there = {e.example_id: e for e in self._source.read(name, self._ids[name], epoch)}
        self._read[key] = there
        return there
