"""Jobs are prepared ahead, in order, and no further than told; errors come in their turn."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from mht.training.jobs import Job
from mht.training.prefetch import fed


def jobs(count: int) -> list[Job]:
    return [Job(step, step // 2, ()) for step in range(count)]


def test_in_order_and_all() -> None:
    made = list(fed(jobs(5), lambda job: job.step * 10, 2))
    assert made == [(step, step // 2, step * 10) for step in range(5)]


def test_no_further_ahead_than_told() -> None:
    begun: list[int] = []
    waiting = threading.Event()

    def prepare(job: Job) -> int:
        begun.append(job.step)
        if len(begun) == 4:
            waiting.set()
        return job.step

    feed = fed(jobs(50), prepare, 2)
    assert next(feed)[0] == 0
    assert waiting.wait(10), "one taken, two ready, one in hand"
    assert waiting.is_set()
    feed.close()  # type: ignore[attr-defined]
    assert len(begun) <= 5
    assert not any(thread.name == "feed" for thread in threading.enumerate())


def test_an_error_comes_in_its_turn() -> None:
    def prepare(job: Job) -> int:
        if job.step == 2:
            raise ValueError("the third")
        return job.step

    feed: Iterator[tuple[int, int, int]] = fed(jobs(5), prepare, 4)
    assert [next(feed)[2], next(feed)[2]] == [0, 1]
    with pytest.raises(ValueError, match="the third"):
        next(feed)
