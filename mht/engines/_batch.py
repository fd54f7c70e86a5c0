"""The requests of one call of an engine and what has become of them so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mht.generation import Heard, Reply, Request, Tell


class Batch:
    """The requests of one call of `generate`: those to do, and the replies by place."""

    def __init__(self, requests: Sequence[Request], tell: Tell) -> None:
        self.todo: Iterator[tuple[int, Request]] = iter(enumerate(requests))
        self.waiting = len(requests)
        self._replies: list[Reply | None] = [None] * len(requests)
        self._tell = tell

    def keep(self, place: int, reply: Reply) -> None:
        self._replies[place] = reply
        self.waiting -= 1
        self._tell(Heard(1, reply.tokens, self.waiting, (reply,)))

    def still_waits(self) -> None:
        """A try failed: a sign of life without a reply."""
        self._tell(Heard(0, 0, self.waiting))

    def ready(self) -> Iterator[Reply]:
        return (reply for reply in self._replies if reply is not None)
