"""Shards worked off on Ray: one Ray Data row a shard, an actor pool over them, and a watch over both.

Nothing here knows medicine, images or configuration keys. A pass takes jobs (what to do with which shard) and yields,
for each, what the worker returned. Truth lies in the commits, so a pass may be cut short at any moment and
another one started.
"""

from __future__ import annotations

import gc
import logging
import os
import queue
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Protocol

import ray
import ray.cloudpickle
import ray.data
import ray.exceptions

from mht.errors import MhtError, Stalled
from mht.watch import Post, Progress, Totals, Watch

Job = tuple[str, str]
"""What is to be done, and with which shard."""
_POLL_S = 0.2
_LET_GO_S = 5.0
"""How long a pass that is cut short waits for the shards in hand before it leaves them to be made again."""


@dataclass(frozen=True, slots=True)
class Done:
    """A job that a worker finished: what it returned, or the error that stopped it."""

    work: str
    shard: str
    began: float
    """When the worker began it, in Unix seconds."""
    result: Any = None
    error: MhtError | None = None
    crash: str | None = None


class Builder(Protocol):
    """What works in a worker: knows its run, does one job at a time."""

    def do(self, work: str, shard: str) -> Any: ...


@dataclass(frozen=True, slots=True)
class FleetConfig:
    """How a pass is staffed and watched. The pool grows from `workers` to `most` where that is given."""

    workers: int
    stall_s: float
    stall_tries: int
    most: int | None = None
    num_cpus: float = 1
    num_gpus: float = 0


Make = Callable[[Any, Callable[[Progress], None]], Builder]
"""Makes a worker of its run's specification and of what hears its signs of life."""


class _Worker:
    """An actor of Ray Data's pool: one row in, a job; one row out, what became of it."""

    def __init__(self, spec: Any, watch: Any, make: Make) -> None:
        context = ray.get_runtime_context()
        self._name = context.get_actor_id() or str(os.getpid())
        self._node = context.get_node_id()
        # As bytes: a handle that Ray unpacks brings Ray Data into the watch's process, 2 s and 50 MiB.
        self._handle = ray.cloudpickle.dumps(context.current_actor)  # type: ignore[no-untyped-call]
        self._watch = watch
        self._builder = make(spec, self._tell)
        # The lexicon and what is remembered of it live for ever: looking through them took 4 % of making pairs.
        gc.freeze()
        gc.set_threshold(50_000, 20, 100)

    def _tell(self, progress: Progress) -> None:
        self._watch.hear.remote(self._name, self._node, os.getpid(), self._handle, astuple(progress))

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        return {"done": [self._one(work, str(shard)) for work, shard in zip(*batch.values(), strict=True)]}

    def _one(self, work: str, shard: str) -> Done:
        began = time.time()
        try:
            return Done(work, shard, began, result=self._builder.do(work, shard))
        except MhtError as error:
            return Done(work, shard, began, error=error)
        except Exception:  # noqa: BLE001 - a defect in one shard must not end the others: it is told at the end
            return Done(work, shard, began, crash=traceback.format_exc())
        finally:
            self._tell(Progress(shard, "idle"))


class Fleet:
    """The workers of one run, each made from `spec`. `run` is one pass over some shards; `close` ends what is left."""

    def __init__(self, spec: Any, config: FleetConfig, make: Make) -> None:
        self._spec = spec
        self._config = config
        self._make = make
        # Restarted for ever, and free to die: it holds nothing that cannot be read from the commits.
        self._watch: Any = ray.remote(num_cpus=0, max_restarts=-1)(Watch).remote()
        self.totals: Totals = (0, 0, 0, 0, 0)
        self._tries: dict[str, int] = {}

    def run(self, jobs: Sequence[Job], pulse: Callable[[], None]) -> Iterator[Done]:
        """Work the jobs off, begun in their order, yielding each as it is done; `pulse` is called often.

        A worker that has been silent for `stall_s` is killed, and Ray Data gives its shard to another.
        Raises Stalled when one shard did so `stall_tries` times.
        """
        results: queue.Queue[Done | BaseException | None] = queue.Queue()
        stop = threading.Event()
        feeder = threading.Thread(target=self._feed, args=(list(jobs), results, stop), daemon=True)
        feeder.start()
        looked = time.monotonic()
        try:
            while True:
                pulse()
                if time.monotonic() - looked >= min(1.0, self._config.stall_s / 4):
                    looked = time.monotonic()
                    self._look()
                try:
                    done = results.get(timeout=_POLL_S)
                except queue.Empty:
                    continue
                if done is None:
                    return
                if isinstance(done, BaseException):
                    raise done
                yield done
        finally:
            stop.set()
            feeder.join(timeout=_LET_GO_S)

    def _feed(self, jobs: list[Job], results: queue.Queue[Any], stop: threading.Event) -> None:
        """Iterate the dataset in a thread of its own, so that the driver can watch, print and stop meanwhile."""
        try:
            # Without prefetching: with it, a result is handed on only once the next one is there.
            for batch in self._dataset(jobs).iter_batches(batch_size=None, prefetch_batches=0):
                if stop.is_set():
                    return
                for done in batch["done"]:
                    results.put(done)
            results.put(None)
        except BaseException as error:  # noqa: BLE001 - carried over to the driver's thread, and raised there
            results.put(error)

    def _dataset(self, jobs: list[Job]) -> Any:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_errored_blocks = 0
        config = self._config
        workers = min(config.workers, len(jobs))
        items = [{"work": work, "shard": shard} for work, shard in jobs]
        rows = ray.data.from_items(items, override_num_blocks=len(items))
        return rows.map_batches(
            _Worker,
            fn_constructor_args=(self._spec, self._watch, self._make),
            batch_size=1,
            batch_format="numpy",
            compute=ray.data.ActorPoolStrategy(
                min_size=workers,
                max_size=max(workers, min(config.most or workers, len(jobs))),
                max_tasks_in_flight_per_actor=2,
            ),
            num_cpus=config.num_cpus,
            num_gpus=config.num_gpus or None,
        )

    def _look(self) -> None:
        try:
            self.totals, silent = ray.get(self._watch.look.remote(self._config.stall_s), timeout=2)
        except (ray.exceptions.RayActorError, ray.exceptions.GetTimeoutError):
            return  # the watch is being restarted; the commits know what is done
        for silence_s, post in silent:
            self._end_stalled(silence_s, post)

    def _end_stalled(self, silence_s: float, post: Post) -> None:
        tries = self._tries[post.shard] = self._tries.get(post.shard, 0) + 1
        where = f"shard {post.shard} at {post.stage} in process {post.pid} on node {post.node[:8]}"
        if tries >= self._config.stall_tries:
            raise Stalled(
                f"{where}: no sign of life for {silence_s:.0f} s, {tries} times. Look at the storage's and the "
                "node's health; the same command resumes."
            )
        logging.getLogger("mht").warning(
            "%s: no sign of life for %.0f s; killed and requeued (%d of %d)",
            where,
            silence_s,
            tries,
            self._config.stall_tries,
        )
        self._watch.forget.remote(post.pid, post.node)
        ray.kill(ray.cloudpickle.loads(post.handle), no_restart=False)
