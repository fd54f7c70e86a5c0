"""Who works on what and since when: what the fleet's watch, an actor, knows. No heavy import: it starts fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """A worker's sign of life: where it is, and what it did since the sign before; requests that wait in its engine.

    `images` are the units that a pass counts: of an evaluation, questions.
    """

    shard: str
    stage: str
    images: int = 0
    pairs: int = 0
    quarantined: int = 0
    tokens: int = 0
    waiting: int = 0


Sign = tuple[str, str, int, int, int, int, int]
"""A worker's `Progress` as plain values: shard, stage, images, pairs, quarantined, tokens, requests that wait."""
Totals = tuple[int, int, int, int, int]
"""Images, pairs, quarantined and tokens so far, and the requests that wait now."""


@dataclass(frozen=True, slots=True)
class Post:
    """Where one worker is: since when (the watch's clock), on what, and the packed handle to end it by."""

    since_s: float
    shard: str
    stage: str
    node: str
    pid: int
    handle: bytes
    waiting: int = 0


class Watch:
    """Hears every worker's signs of life. Its loss costs a moment of display and nothing else."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._posts: dict[str, Post] = {}
        self._sum = [0, 0, 0, 0]

    def hear(self, worker: str, node: str, pid: int, handle: bytes, sign: Sign) -> None:
        shard, stage, *counts, waiting = sign
        if stage == "idle":
            self._posts.pop(worker, None)
        else:
            self._posts[worker] = Post(self._clock(), shard, stage, node, pid, handle, waiting)
        self._sum = [total + new for total, new in zip(self._sum, counts, strict=True)]

    def look(self, patience_s: float) -> tuple[Totals, list[tuple[float, Post]]]:
        """What was done so far, and each worker silent for longer: its seconds and its post."""
        now = self._clock()
        silent = [(now - p.since_s, p) for p in self._posts.values() if now - p.since_s > patience_s]
        images, pairs, quarantined, tokens = self._sum
        return (images, pairs, quarantined, tokens, sum(p.waiting for p in self._posts.values())), silent

    def forget(self, pid: int, node: str) -> None:
        gone = [key for key, post in self._posts.items() if (post.pid, post.node) == (pid, node)]
        for key in gone:
            del self._posts[key]
