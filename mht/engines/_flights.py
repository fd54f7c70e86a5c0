"""In what order prompts are answered, and what happens when memory does not suffice. Knows no model.

A flight is as many groups as fit a batch: what each group's prompts share is computed once, then all its prompts are
answered batch by batch. When memory does not suffice, flights and batches are halved, down to one prompt.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import Protocol, TypeVar

import torch

from mht.engines._prompts import Group, Prompt
from mht.generation import Failure

T = TypeVar("T")
_GROWS_AFTER = 4
"""So many full batches fit, then the double is tried."""
_NO_CPU_MEMORY = "can't allocate memory"


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a prompt: the tokens of its reply, and why there is no whole one."""

    prompt: Prompt
    tokens: Sequence[int] = ()
    failure: Failure | None = None

    @property
    def spoilt(self) -> bool:
        """Whether something was not finite on the way."""
        return self.failure is Failure.NOT_FINITE


class Started(Protocol):
    """A flight whose groups' beginnings are computed. `over` are the prompts that are longer than the context."""

    @property
    def rows(self) -> Sequence[Prompt]: ...

    @property
    def over(self) -> Sequence[Prompt]: ...

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        """How many of the first rows fit where `most` fit that share nothing: at least one, one where `most` is 1."""

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]: ...


class Way(Protocol):
    """How a model answers."""

    def start(self, groups: Sequence[Group]) -> Started: ...


class Room:
    """How many fit in memory at once, as far as is known: halved where they did not, doubled after some that did."""

    def __init__(self, most: int) -> None:
        self.now = most
        self._most = most
        self._full = 0

    def too_small(self, tried: int) -> None:
        self.now, self._full = max(1, tried // 2), 0

    def sufficed(self, tried: int) -> None:
        self._full += tried == self.now
        if self._full >= _GROWS_AFTER:
            self.now, self._full = min(self._most, 2 * self.now), 0


def grouped(prompts: Sequence[Prompt], share: bool) -> list[Group]:
    """Prompts that begin alike together; images of one size side by side, and prompts of like length."""
    ordered = sorted(prompts, key=lambda p: (p.image_digest, p.request.system or "", len(p.raw)))
    alike = groupby(
        ordered, key=lambda p: (p.image_digest, p.request.system, _beginning(p)) if share else p.place
    )
    groups = [list(group) for _, group in alike]
    return sorted(groups, key=lambda g: (g[0].image_at is None, g[0].image_size, len(g[-1].raw)))


def _beginning(prompt: Prompt) -> tuple[int, ...]:
    """The tokens up to the image, which a template could make depend on the question."""
    return tuple(prompt.raw[: prompt.image_at])


def answered(groups: Sequence[Group], way: Way, batch_size: int) -> Iterator[list[Ended]]:
    """Every prompt of the groups, once, batch by batch."""
    images, replies = Room(batch_size), Room(batch_size)
    waiting, alone = list(groups), list[Group]()
    while waiting or alone:
        flight = [alone.pop()] if alone else _take(waiting, images.now)
        started = attempt(partial(way.start, flight))
        if started is not None:
            images.sufficed(len(flight))
            failed = yield from _finished(started, replies)
        elif len(flight) > 1:
            images.too_small(len(flight))
            waiting[:0] = flight
            continue
        else:
            failed = list(flight[0])
        if len(flight) > 1:
            alone.extend([prompt] for prompt in failed)
        elif failed:
            yield [Ended(prompt, (), Failure.OUT_OF_MEMORY) for prompt in failed]


def _take(waiting: list[Group], most: int) -> list[Group]:
    """The next groups, all with an image or all without."""
    kind = waiting[0][0].image_at is None
    n = next((i for i, group in enumerate(waiting[:most]) if (group[0].image_at is None) != kind), most)
    flight = waiting[:n]
    del waiting[:n]
    return flight


def _finished(started: Started, room: Room) -> Generator[list[Ended], None, list[Prompt]]:
    """Batches of ended prompts. Returns the prompts that did not fit alone."""
    if started.over:
        yield [Ended(prompt, (), Failure.PROMPT_TOO_LONG) for prompt in started.over]
    failed, rows = list[Prompt](), list(started.rows)
    while rows:
        batch = rows[: started.together(rows, room.now)]
        tried = min(len(batch), room.now)
        ended = attempt(partial(started.finish, batch))
        if ended is not None:
            room.sufficed(tried)
            yield ended
        elif len(batch) > 1:
            room.too_small(tried)
            continue
        else:
            failed += batch
        del rows[: len(batch)]
    return failed


def attempt(call: Callable[[], T]) -> T | None:
    """What it gives; None, with its memory given back, where there was not enough of it."""
    try:
        return call()
    except torch.OutOfMemoryError:
        pass
    except RuntimeError as error:
        if _NO_CPU_MEMORY not in str(error):
            raise
    # Only here are the frames gone that held the tensors.
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    return None
