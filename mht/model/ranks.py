"""The processes of a training job as they talk about other things than gradients."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch.distributed as dist

from mht.errors import MhtError

T = TypeVar("T")

_LONGEST = timedelta(hours=12)
"""A rank may wait so long for the slowest upload; the death of a process ends the wait at once."""


class Ranks:
    """This process among those of its job, on a gloo group of its own; alone without torch.distributed.

    Every process makes one at the same point, and calls the same methods in the same order. What one thread says on
    one of them never meets what another thread says on another.
    """

    def __init__(self) -> None:
        self.alone = self.is_alone()
        self.group: Any = None if self.alone else dist.new_group(backend="gloo", timeout=_LONGEST)
        self.rank = 0 if self.alone else dist.get_rank()
        self.count = 1 if self.alone else dist.get_world_size()

    @staticmethod
    def is_alone() -> bool:
        """Whether there is no job of several processes."""
        return not (dist.is_available() and dist.is_initialized())

    @property
    def first(self) -> bool:
        return self.rank == 0

    def every(self, value: T) -> list[T]:
        """What each rank gave, by rank, on every rank. Raises RuntimeError when a process is gone."""
        if self.alone:
            return [value]
        values: list[Any] = [None] * self.count
        dist.all_gather_object(values, value, group=self.group)
        return values

    def from_first(self, value: T) -> T:
        """What the first rank gave, on every rank. Raises RuntimeError when a process is gone."""
        if self.alone:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0, group=self.group)
        return values[0]

    def asked_of_first(self, work: Callable[[], T]) -> T:
        """What the work gives on the first rank; an error of ours that it raises there is raised on every rank."""
        result: Any = None
        if self.first:
            try:
                result = work()
            except MhtError as error:
                result = error
        result = self.from_first(result)
        if isinstance(result, MhtError):
            raise result
        given: T = result
        return given

    def in_turns(self, work: Callable[[], T]) -> T:
        """What the work gives on this rank, done by one rank of each machine after another; it may ask no other rank.

        For what needs much memory for a while. An error of ours on one rank is raised on every rank, and those whose
        turn would come later do not begin.
        """
        if self.alone:
            return work()
        machines = self.every(socket.gethostname())
        turn = machines[: self.rank].count(machines[self.rank])
        made: list[T] = []
        for now in range(max(map(machines.count, machines))):
            error = None
            if now == turn:
                try:
                    made.append(work())
                except MhtError as caught:
                    error = caught
            failed = next((one for one in self.every(error) if one is not None), None)
            if failed is not None:
                raise failed
        return made[0]

    def close(self) -> None:
        """Leave the group; nothing may be said on it afterwards."""
        if self.group is not None and dist.is_initialized():
            dist.destroy_process_group(self.group)
        self.group = None
