"""A rank's jobs through Ray Data: shards read by one actor, examples tokenised by others, in order.

The rank itself makes the dataset from its own list of jobs, so it begins at any step and with any number of ranks.
Encoded images travel once, and pixels once. Nothing here knows models, images or medicine.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Generator, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import ray
import ray.data

from mht.config_train import TrainConfig
from mht.errors import MhtError
from mht.training.assignment import Assignment
from mht.training.jobs import READER_CPUS, Job, Reader

if TYPE_CHECKING:
    from mht.training.preparation import Speech

_JOBS = 2000
"""Of one dataset: each is a block that its maker holds; actors start anew for the next so many."""


class _Reading:
    """A job in, its examples out."""

    def __init__(self, reference: Any) -> None:
        given: Assignment = ray.get(reference)
        self._reader = Reader(given.source, given.agenda.shards, 2 * given.config.order.window_shards)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        jobs = [pickle.loads(job) for job in batch["job"]]
        return {
            "step": [job.step for job in jobs],
            "epoch": [job.epoch for job in jobs],
            "whole": [job.whole for job in jobs],
            "examples": [_packed(partial(self._reader.read, job)) for job in jobs],
        }


class _Tokenising:
    """A job's examples in, the same in tokens and pixels out; of a whole job what cannot be learnt of it."""

    def __init__(self, speech: Speech) -> None:
        from mht.training.preparation import Tokeniser

        self._tokeniser = Tokeniser(speech)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        jobs = zip(batch["examples"], batch["whole"], strict=True)
        made = [_packed(partial(self._prepared, packed, bool(whole))) for packed, whole in jobs]
        return {
            "step": batch["step"],
            "epoch": batch["epoch"],
            "prepared": made,
        }

    def _prepared(self, packed: bytes, whole: bool) -> Any:
        return self._tokeniser.work(_opened(packed), whole)


def _packed(work: Callable[[], Any]) -> bytes:
    """What the work gives, or the error of ours that it raised: Ray would carry that over as one of its own."""
    try:
        made = work()
    except MhtError as error:
        made = error
    return pickle.dumps(made, protocol=5)


def _opened(packed: bytes) -> Any:
    made = pickle.loads(packed)
    if isinstance(made, MhtError):
        raise made
    return made


def feed(
    given: Assignment, speech: Speech, first: int, rank: int, world: int
) -> Generator[tuple[int, int, Any], None, None]:
    """(step, epoch, prepared examples) from step `first` on. Errors of reading are raised here."""
    config = given.config.run
    reference = ray.put(given)
    every = given.agenda.jobs(first, rank, world)
    while jobs := list(islice(every, _JOBS)):
        rows = _dataset(reference, speech, jobs, given.config, world)
        for batch in rows.iter_batches(
            batch_size=None, batch_format="numpy", prefetch_batches=config.prefetch_steps
        ):
            yield from _unpacked(batch)


def _unpacked(batch: dict[str, Any]) -> Iterator[tuple[int, int, Any]]:
    for step, epoch, prepared in zip(batch["step"], batch["epoch"], batch["prepared"], strict=True):
        yield int(step), int(epoch), _opened(prepared)


def _dataset(reference: Any, speech: Speech, jobs: list[Job], config: TrainConfig, world: int) -> Any:
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.max_errored_blocks = 0
    context.execution_options.preserve_order = True
    # Each rank has an executor of its own, and each would take the whole store for its own.
    store = ray.cluster_resources().get("object_store_memory", 0)  # type: ignore[no-untyped-call]
    context.execution_options.resource_limits = ray.data.ExecutionResources(
        object_store_memory=store / 2 / world
    )
    rows = ray.data.from_items([{"job": pickle.dumps(job)} for job in jobs], override_num_blocks=len(jobs))
    settings: dict[str, Any] = {"batch_size": 1, "batch_format": "numpy"}
    read = rows.map_batches(
        _Reading,
        fn_constructor_args=(reference,),
        compute=ray.data.ActorPoolStrategy(size=1),
        num_cpus=READER_CPUS,
        **settings,
    )
    return read.map_batches(
        _Tokenising,
        fn_constructor_args=(speech,),
        compute=ray.data.ActorPoolStrategy(size=config.run.readers, max_tasks_in_flight_per_actor=2),
        num_cpus=config.run.cpus_per_reader,
        **settings,
    )
