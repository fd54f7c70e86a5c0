"""What a source of training data hands out: shards by name, examples to learn, rows that are held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from mht.model.examples import Example, Exchange
from mht.seeds import digest


@dataclass(frozen=True, slots=True)
class Shard:
    """Examples that are read together, as the data's metadata lists them.

    `exchange_counts` is how many exchanges of each example an epoch is expected to hold, which may be a fraction
    where pairs are drawn.
    """

    name: str
    split: str
    example_ids: tuple[str, ...]
    exchange_counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """One exchange for validation. The columns below `exchange` are our own datasets', None elsewhere."""

    example_id: str
    image: bytes | None
    exchange: Exchange
    state: str | None = None
    type: str | None = None
    form: str | None = None
    risk: str | None = None
    polarity: str | None = None
    premise: str | None = None
    twin_id: str | None = None

    @property
    def question(self) -> str:
        """The last one."""
        return self.exchange.turns[-1].question

    @property
    def answer(self) -> str:
        """The right answer to the last question."""
        return self.exchange.turns[-1].answer

    @property
    def rejected(self) -> str | None:
        """A wrong answer to the last question."""
        return self.exchange.rejected


class Source(Protocol):
    """What every file of `training.sources` has as its class `Source`, made from its `Params` and a storage.

    Making one reads nothing, and one can be pickled; what `shards` found out travels with it.
    """

    @property
    def digest(self) -> str:
        """16 hex digits of what the data is; the same wherever it lies."""

    @property
    def left_out(self) -> str:
        """What of the data cannot be learnt, counted by reason, with the first few named; empty where it all can."""

    def shards(self) -> list[Shard]:
        """Every shard to train on, without images. Raises InputError, ConfigError or a storage error."""

    def read(self, shard: str, example_ids: Sequence[str], epoch: int | None) -> list[Example]:
        """The examples in the order asked for. One has no exchanges where none of its pairs is drawn this epoch.

        Without an epoch each has all the exchanges that some epoch may hold.
        """

    def held_out(self, n: int, split: str) -> list[HeldOut]:
        """At most `n` exchanges of a split: the same ones each time, from all over it."""


def place(example_id: str) -> bytes:
    """Where an example stands in the line of those to hold out: anywhere, and always there."""
    return digest("held out", example_id)


def spread(shards: Sequence[Shard], n: int) -> dict[str, set[str]]:
    """The first examples of that line with at least `n` exchanges (fewer where there are not so many), by shard."""
    every = ((s.name, i, c) for s in shards for i, c in zip(s.example_ids, s.exchange_counts, strict=True))
    chosen: dict[str, set[str]] = {}
    count = 0.0
    for shard, example_id, exchanges in sorted(every, key=lambda one: place(one[1])):
        if count >= n:
            break
        chosen.setdefault(shard, set()).add(example_id)
        count += exchanges
    return chosen
