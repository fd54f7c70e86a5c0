"""What Ray Train runs in each of its workers: one rank. The process group is there already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ray
import ray.train
import ray.train.torch

from mht.errors import MhtError
from mht.training.feed import feed
from mht.training.progress import Beat
from mht.training.rank import run_rank


class _Posted:
    """Beats to the board without waiting for it: what it said to the last one answers the next."""

    def __init__(self, board: Any) -> None:
        self._board = board
        self._answer: Any = None
        self._stop = False

    def tell(self, beat: Beat) -> bool:
        if self._answer is not None and ray.wait([self._answer], timeout=0)[0]:
            self._stop |= ray.get(self._answer)
            self._answer = None
        if self._answer is None:
            self._answer = self._board.tell.remote(beat)
        return self._stop

    def say(self, line: str) -> None:
        self._board.say.remote(line)


def _report(found: Mapping[str, float]) -> None:
    """For who compares runs by Ray's reports; nothing resumes from them."""
    ray.train.report(dict(found))


def work(told: dict[str, Any]) -> None:
    """Train as a rank; `told` holds the assignment and the board.

    An error that another try would meet again is put on the board, and later tries end at once.
    """
    board = told["board"]
    *_, error, _ = ray.get(board.look.remote())
    if error is not None:
        return
    posted = _Posted(board)
    try:
        finished = run_rank(
            told["given"], feed, posted.tell, posted.say, _report, ray.train.torch.get_device()
        )
    except MhtError as failure:
        ray.get(board.fail.remote(failure))
        raise
    if finished and ray.train.get_context().get_world_rank() == 0:
        ray.get(board.finish.remote())
