"""A run in this one process, without Ray."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

from mht.training.assignment import Assignment
from mht.training.jobs import Job, Reader
from mht.training.prefetch import fed
from mht.training.progress import Beat

if TYPE_CHECKING:
    from mht.training.preparation import Speech


def run_here(given: Assignment, tell: Callable[[Beat], bool], say: Callable[[str], None]) -> bool:
    """Whether the run is finished; see `mht.training.rank.run_rank`."""
    from mht.pretrained.loading import device_of
    from mht.training.rank import run_rank

    return run_rank(given, feed, tell, say, _unheard, device_of("auto"))


def _unheard(found: Mapping[str, float]) -> None:
    """Nobody compares runs here."""


def feed(
    given: Assignment, speech: Speech, first: int, rank: int, world: int
) -> Generator[tuple[int, int, Any], None, None]:
    """A rank's jobs, read and tokenised by a thread beside the training."""
    from mht.training.preparation import Tokeniser

    reader = Reader(given.source, given.agenda.shards, 2 * given.config.order.window_shards)
    tokeniser = Tokeniser(speech)

    def prepare(job: Job) -> Any:
        return tokeniser.work(reader.read(job), job.whole)

    yield from fed(given.agenda.jobs(first, rank, world), prepare, given.config.run.prefetch_steps)
