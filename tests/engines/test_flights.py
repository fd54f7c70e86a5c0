"""Who is answered with whom, and what is left of a batch that memory does not hold."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch

from mht.engines._flights import Ended, Room, answered, attempt, grouped
from mht.engines._prompts import Group, Prompt
from mht.generation import Failure, Request


def prompt(
    place: int, raw: Sequence[int] = (1, 2, 3), image: bytes = b"", system: str | None = None
) -> Prompt:
    at = 1 if image else None
    request = Request(str(place), "", system)
    return Prompt(place, request, "", list(raw), list(raw), at, image, (8, 8) if image else (0, 0))


class Narrow:
    """A way that holds so many beginnings and so many replies, and never holds `poison`; `tried` are its batches."""

    def __init__(self, groups: int, rows: int, poison: int = -1, over: int = -1, wide: int = 1) -> None:
        self._groups, self._rows, self._poison, self._over = groups, rows, poison, over
        self._wide = wide
        self.started: list[int] = []
        self.tried: list[int] = []

    def start(self, groups: Sequence[Group]) -> Flight:
        self.started.append(len(groups))
        if len(groups) > self._groups:
            raise torch.OutOfMemoryError
        return Flight(self, [p for group in groups for p in group])

    def together(self, rows: Sequence[Prompt], most: int) -> int:
        return most if most == 1 else self._wide * most

    def finish(self, rows: Sequence[Prompt]) -> list[Ended]:
        self.tried.append(len(rows))
        if len(rows) > self._rows or any(p.place == self._poison for p in rows):
            raise torch.OutOfMemoryError
        return [Ended(p, [p.place]) for p in rows]

    def is_over(self, one: Prompt) -> bool:
        return one.place == self._over


class Flight:
    def __init__(self, way: Narrow, prompts: Sequence[Prompt]) -> None:
        self.rows = [p for p in prompts if not way.is_over(p)]
        self.over = [p for p in prompts if way.is_over(p)]
        self.finish = way.finish
        self.together = way.together


def outcomes(groups: Sequence[Group], way: Narrow, batch_size: int = 8) -> dict[int, Failure | None]:
    ended = [one for batch in answered(groups, way, batch_size) for one in batch]
    assert len({one.prompt.place for one in ended}) == len(ended)
    return {one.prompt.place: one.failure for one in ended}


def singles(n: int) -> list[Group]:
    return [[prompt(i)] for i in range(n)]


@pytest.mark.parametrize("rows", [1, 2, 3, 8])
@pytest.mark.parametrize("groups", [1, 3, 8])
def test_what_fits_in_halves_is_answered_in_halves(groups: int, rows: int) -> None:
    way = Narrow(groups, rows)
    assert outcomes(singles(20), way) == dict.fromkeys(range(20))
    assert max(way.started) == max(way.tried) == 8 or groups < 8


@pytest.mark.parametrize("rows", [1, 2, 3, 5, 8, 16])
def test_what_takes_less_memory_together_is_answered_in_larger_batches(rows: int) -> None:
    way = Narrow(8, rows, wide=2)
    assert outcomes([[prompt(i) for i in range(40)]], way) == dict.fromkeys(range(40))
    assert way.tried[0] == 16


def test_one_prompt_that_fits_nowhere_fails_and_no_other() -> None:
    for groups in (singles(40), [[prompt(i) for i in range(40)]]):
        way = Narrow(8, 8, poison=5)
        wanted = {i: Failure.OUT_OF_MEMORY if i == 5 else None for i in range(40)}
        assert outcomes(groups, way) == wanted
        # It had a last try with nothing beside it in memory, and those behind it are together again.
        assert 1 in way.started
        assert max(way.tried[6:]) >= 4


def test_a_beginning_that_fits_nowhere_fails_with_all_its_prompts() -> None:
    way = Narrow(0, 8)
    assert outcomes([[prompt(0), prompt(1)], [prompt(2)]], way) == dict.fromkeys(
        range(3), Failure.OUT_OF_MEMORY
    )
    assert way.tried == []


def test_a_prompt_over_the_context_is_not_tried() -> None:
    assert outcomes(singles(3), Narrow(8, 8, over=1)) == {0: None, 1: Failure.PROMPT_TOO_LONG, 2: None}


def test_a_size_that_failed_is_tried_again_only_after_some_that_fit() -> None:
    way = Narrow(8, 4)
    outcomes([[prompt(i) for i in range(64)]], way)
    assert way.tried.count(8) <= 4
    assert way.tried.count(4) == 16


def test_room_halves_to_one_and_doubles_up_to_its_most() -> None:
    room = Room(6)
    room.too_small(6)
    room.too_small(3)
    room.too_small(1)
    assert room.now == 1
    for _ in range(4 * 4):
        room.sufficed(room.now)
    assert room.now == 6
    for _ in range(9):
        room.sufficed(2)
    assert room.now == 6


def test_other_errors_are_not_taken_for_a_lack_of_memory() -> None:
    def fails() -> None:
        raise RuntimeError("shapes differ")

    def fails_on_the_cpu() -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")

    with pytest.raises(RuntimeError, match="shapes differ"):
        attempt(fails)
    assert attempt(fails_on_the_cpu) is None


def test_the_memory_of_a_failed_attempt_is_free_when_the_next_begins() -> None:
    import weakref

    held: list[weakref.ref[torch.Tensor]] = []

    def fills() -> None:
        tensor = torch.zeros(10)
        held.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError

    assert attempt(fills) is None
    assert held[0]() is None


def test_prompts_with_one_image_and_system_prompt_are_a_group() -> None:
    prompts = [
        prompt(0, image=b"x"),
        prompt(1, image=b"y"),
        prompt(2, image=b"x"),
        prompt(3, image=b"x", system="s"),
    ]
    assert [[p.place for p in g] for g in grouped(prompts, share=True)] == [[0, 2], [3], [1]]
    assert [[p.place for p in g] for g in grouped(prompts, share=False)] == [[0], [2], [3], [1]]


def test_prompts_whose_template_differs_before_the_image_share_nothing() -> None:
    prompts = [prompt(0, (1, 9, 3), b"x"), prompt(1, (2, 9, 3), b"x")]
    assert len(grouped(prompts, share=True)) == 2


def test_a_flight_has_images_in_all_its_groups_or_in_none() -> None:
    way = Narrow(8, 8)
    outcomes(
        grouped([prompt(0, image=b"x"), prompt(1), prompt(2, image=b"y"), prompt(3, system="s")], True), way
    )
    assert way.started == [2, 2]
