"""Replies taken as they come: kept and finished within a share of the time, and all of them at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from mht.errors import EngineDenied
from mht.evaluation.stretch import Stretch
from mht.generation import Reply, Request
from tests.storage.conftest import FakeClock


@dataclass
class Part:
    """To keep its replies takes `keeps_s` of the clock."""

    name: str
    clock: FakeClock
    keeps_s: float = 0.0
    wanted: int = 2
    committed: bool = False
    replies: dict[str, Reply] = field(default_factory=dict)
    kept: list[list[str]] = field(default_factory=list)
    requests: dict[str, tuple[Request, ...]] = field(init=False)

    def __post_init__(self) -> None:
        self.requests = {"r": tuple(Request(f"{self.name}{number}", "?") for number in range(self.wanted))}

    @property
    def is_whole(self) -> bool:
        return len(self.replies) == self.wanted

    def keep(self) -> None:
        self.clock.now += self.keeps_s
        self.kept.append(list(self.replies))


def made(takes_s: float = 0.0) -> tuple[FakeClock, list[Part], list[str], Stretch[Part]]:
    """Three parts; to finish one takes `takes_s` of the clock."""
    clock = FakeClock()
    finished: list[str] = []

    def finish(part: Part) -> None:
        clock.now += takes_s
        part.committed = True
        finished.append(part.name)

    parts = [Part(name, clock) for name in "abc"]
    return clock, parts, finished, Stretch[Part](parts, finish, clock)


def test_a_fast_store_keeps_each_reply_and_finishes_at_once() -> None:
    _, parts, finished, stretch = made()
    with stretch:
        stretch.take([Reply("a0", "yes")])
        stretch.keep_up()
        assert parts[0].kept == [["a0"]]
        stretch.take([Reply("a1", "yes"), Reply("a1", "another"), Reply("z9", "whose?")])
        stretch.keep_up()
        assert finished == ["a"]
        assert parts[0].replies["a1"].text == "yes"
    assert finished == ["a"]
    assert (parts[1].kept, parts[2].kept) == ([], [])


def test_a_slow_store_takes_a_tenth_of_the_time() -> None:
    clock = FakeClock()
    part = Part("a", clock, keeps_s=1.0, wanted=101)
    with Stretch[Part]([part], Part.keep, clock) as stretch:
        for number in range(100):
            clock.now += 1.0
            stretch.take([Reply(f"a{number}", "yes")])
            stretch.keep_up()
    assert [len(kept) for kept in part.kept] == [*range(1, 100, 10), 100]


def test_reading_replies_takes_a_tenth_of_the_time_while_others_are_asked_for() -> None:
    clock, _, finished, stretch = made(takes_s=1.0)
    with stretch:
        for name in "abc":
            stretch.take([Reply(f"{name}{number}", "yes") for number in range(2)])
            stretch.keep_up()
        assert finished == ["a"]
        clock.now += 9.0
        stretch.keep_up()
        assert finished == ["a"]
        clock.now += 1.0
        stretch.keep_up()
        assert finished == ["a", "b", "c"]


def denied(stretch: Stretch[Part]) -> None:
    with stretch:
        stretch.take([Reply("a0", "yes"), Reply("a1", "yes")])
        stretch.keep_up()
        stretch.take([Reply("b0", "yes")])
        raise EngineDenied("no", [Reply("b1", "yes"), Reply("c0", "yes")])


def test_what_is_whole_is_finished_at_the_end_and_the_rest_kept() -> None:
    clock, parts, finished, stretch = made(takes_s=1.0)
    with pytest.raises(EngineDenied):
        denied(stretch)
    assert finished == ["a", "b"]
    assert parts[2].kept == [["c0"]]
    assert clock.now == 2.0
