"""Parts asked together, so that an engine with many requests in flight never waits for a part's last ones.

A part is finished when its last reply is there, and replies before that are kept as they come, so that what was paid
for is not paid for again, whenever the process ends.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from mht.config import EngineConfig
from mht.errors import EngineStopped
from mht.generation import Reply, Request

AND = "+"
"""Between the parts of a stretch, in its name."""
_SHARE = 0.1
"""Of the time at the most goes into keeping replies as they come, and as much into finishing what is whole: to a slow
store they go less often than to a disk, and of a fast endpoint's replies most are read when all are there.
"""
_TIMES, _TIMES_WITH_IMAGES = 16, 2
"""A stretch has enough for so many times as many requests as are in flight; images are held in memory meanwhile."""


class _Part(Protocol):
    name: str
    committed: bool
    requests: dict[str, tuple[Request, ...]]
    replies: dict[str, Reply]

    @property
    def is_whole(self) -> bool: ...

    def keep(self) -> None: ...


Part = TypeVar("Part", bound=_Part)


class _Share:
    """Does something again and again, within a share of the time."""

    def __init__(self, work: Callable[[], None], clock: Callable[[], float]) -> None:
        self._work, self._clock, self._again_at = work, clock, float("-inf")

    def __call__(self) -> None:
        """Once more, if it is not too soon."""
        began = self._clock()
        if began >= self._again_at:
            self._work()
            ended = self._clock()
            self._again_at = ended + (ended - began) / _SHARE


class Stretch(Generic[Part]):
    """Takes the replies of some parts; a context manager, at whose end all that is there is finished or kept.

    `finish` commits a part that is whole. Of two replies to one request the first counts.
    """

    def __init__(
        self, parts: Sequence[Part], finish: Callable[[Part], None], clock: Callable[[], float]
    ) -> None:
        self._parts, self._finish = parts, finish
        self._of = {one.request_id: part for part in parts for of in part.requests.values() for one in of}
        self._unkept: dict[str, Part] = {}
        self._keep_some, self._finish_some = _Share(self._keep, clock), _Share(self._finish_whole, clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Whatever ended it, an engine that stopped or somebody who asked to."""
        if isinstance(error, EngineStopped):
            self.take(error.replies)
            error.replies = ()
        try:
            self._finish_whole()
        finally:
            self._keep()

    def take(self, replies: Sequence[Reply]) -> None:
        """Replies to requests of these parts; to others they are passed over."""
        for reply in replies:
            part = self._of.get(reply.request_id)
            if part is not None and reply.request_id not in part.replies:
                self._unkept[part.name] = part
                part.replies[reply.request_id] = reply

    def keep_up(self) -> None:
        """Keep the new replies, and finish what is whole, unless either was done just now."""
        self._keep_some()
        self._finish_some()

    def _finish_whole(self) -> None:
        for part in self._parts:
            if part.is_whole and not part.committed:
                self._finish(part)

    def _keep(self) -> None:
        for part in self._unkept.values():
            if not part.committed:
                part.keep()
        self._unkept = {}


def stretches(
    model: EngineConfig | None, with_images: bool, part_questions: int, left: Sequence[tuple[str, str]]
) -> list[str]:
    """Stretches of (benchmark, part) that are left: parts together for an engine with requests in flight.

    A part by itself for any other. Of several replicas none is left without one.
    """
    at_once = getattr(model.params(), "concurrency", 0) if model is not None else 0
    most = max(1, at_once * (_TIMES_WITH_IMAGES if with_images else _TIMES) // part_questions)
    replicas = model.replicas if model is not None else 1
    made = []
    for benchmark in dict.fromkeys(name for name, _ in left):
        parts = [part for name, part in left if name == benchmark]
        size = min(most, -(-len(parts) // replicas))
        made += [
            f"{benchmark}/{AND.join(parts[begin : begin + size])}" for begin in range(0, len(parts), size)
        ]
    return made
