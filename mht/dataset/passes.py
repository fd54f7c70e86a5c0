"""The passes of a build: which jobs are left, in which order, and who works them off.

Where no model is asked, captions and pairs are one pass. A stage that asks a model is a pass of its own over the
shards that lack it, on actors that hold that model and nothing else; so two models need not fit on one card at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from mht.artifacts import Commit, committed_shards
from mht.config import BuildConfig, EngineConfig
from mht.dataset.asked.kept import Kept
from mht.dataset.asked.stages import ROLES, AskedStages
from mht.dataset.captions import PremiseStore
from mht.dataset.leakage.benchmarks import Benchmark
from mht.dataset.memory import MemoryGauge
from mht.dataset.progress import ProgressLine
from mht.dataset.review.decisions import Review
from mht.dataset.run import Run
from mht.dataset.shard import ShardBuilder, WorkSpec
from mht.errors import ConfigError, MhtError
from mht.pairing.premises import PremiseSum
from mht.storage import Storage

if TYPE_CHECKING:
    from mht.fleet import Done, FleetConfig, Job, Make

Pulse = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Site:
    """What the steps of one build share."""

    config: BuildConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    memory: MemoryGauge
    review: Review | None
    benchmarks: Sequence[Benchmark]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a pass of an engine did now: images, and the seconds from its first job on, the model loaded before."""

    images: int
    seconds: float


class Staff:
    """The fleets, started when the first shard needs one: a finished dataset costs no Ray."""

    def __init__(self, site: Site, run: Run, stack: ExitStack) -> None:
        self._site = site
        self._run = run
        self._stack = stack
        self.first_job = math.inf
        self.asked: dict[str, Asked] = {}

    def run(self, jobs: Sequence[Job], engine: str | None = None) -> Iterator[Done]:
        """Start a fleet and let it work the jobs off, the progress line following.

        Raises the first error that a job met, and, once the others are done, one that tells of all defects.
        """
        from mht import cluster, fleet

        site, config = self._site, self._site.config
        self._stack.callback(
            cluster.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
        )
        crew = fleet.Fleet(self._spec(), self._staffing(engine), _maker(engine))

        def pulse() -> None:
            site.pulse()
            site.memory.look()
            site.progress.show(*crew.totals)

        crashes: list[Done] = []
        for done in crew.run(jobs, pulse):
            self.first_job = min(self.first_job, done.began)
            if done.error is not None:
                raise done.error
            if done.crash is not None:
                crashes.append(done)
            else:
                yield done
        if crashes:
            raise MhtError(_crash_face(crashes, len(jobs)))

    def _spec(self) -> WorkSpec:
        site, run = self._site, self._run
        return WorkSpec(
            site.config.output,
            run.name,
            site.config.resolved(),
            run.fingerprints,
            run.plan.stage_keys(),
            tuple((benchmark.name, benchmark.index) for benchmark in site.benchmarks),
        )

    def _staffing(self, name: str | None) -> FleetConfig:
        from mht import cluster, fleet

        run = self._site.config.build
        if name is None:
            return fleet.FleetConfig(run.workers or cluster.cpus(), run.stall_s, run.stall_tries)
        engine = self._site.config.engines[name]
        _check_room(name, engine, cluster.gpus(), self._site.config.ray.address)
        return fleet.FleetConfig(
            engine.replicas,
            run.stall_s,
            run.stall_tries,
            engine.max_replicas,
            engine.num_cpus,
            engine.num_gpus,
        )


def _check_room(name: str, engine: EngineConfig, there: float, address: str) -> None:
    """A private Ray never grows; a cluster may."""
    wanted = engine.num_gpus * engine.replicas
    if address == "local" and wanted > there:
        raise ConfigError(
            f"engines.{name}: num_gpus={engine.num_gpus:g} times replicas={engine.replicas} asks for {wanted:g} GPUs, "
            f"and Ray finds {there:g} here. Lower them, or set num_gpus=0 to run it on the CPU."
        )


def _maker(engine: str | None) -> Make:
    if engine is None:
        return ShardBuilder
    from mht.dataset.asked.jobs import EngineJobs

    return partial(EngineJobs, engine=engine)


def work_off(site: Site, run: Run, staff: Staff) -> list[Commit]:
    """Everything that is left of every shard without a commit. Returns the commits made now."""
    storage, root = site.storage, site.config.output
    premises = PremiseStore(storage, root, run.fingerprints.pair)
    keys = run.plan.stage_keys()
    counted, committed = premises.done(), set(committed_shards(storage, root, run.name))
    unread = {shard for shard, key in keys.items() if key not in counted}
    unbuilt = [shard for shard in keys if shard not in committed]
    if committed and unbuilt:
        site.progress.say(f"resuming run {run.name}: {len(committed)} of {len(keys)} shards are committed")
    asked = AskedStages(storage, root, site.config.resolved(), run.fingerprints)
    _ask(site, run, staff, "describe", asked.texts, sorted({*unread, *unbuilt}))
    if unbuilt and (asked.wordings or asked.verdicts):
        list(_captions_and_pairs(site, run, staff, unread, []))
        _ask(site, run, staff, "word", asked.wordings, unbuilt)
        _ask(site, run, staff, "judge", asked.verdicts, unbuilt)
    return list(_captions_and_pairs(site, run, staff, unread, unbuilt))


class _Counts:
    """The corpus's table in the making: each shard's counts are added as they come, while others are being read."""

    def __init__(self, premises: PremiseStore, run: Run, unread: set[str]) -> None:
        self._premises = premises
        self._name = run.name
        self._keys = run.plan.stage_keys()
        self._unread = unread
        self._total = PremiseSum()
        if not premises.has_table(run.name):
            for shard in self._keys.keys() - unread:
                premises.add(self._keys[shard], self._total)

    def add(self, shard: str) -> None:
        """A shard was read. A job that ran twice counts once."""
        if shard in self._unread:
            self._unread.discard(shard)
            self._premises.add(self._keys[shard], self._total)

    def close(self) -> bool:
        """Write the table if it is whole."""
        if not self._unread:
            self._premises.write_table(self._total, self._name)
        return not self._unread


def _ask(site: Site, run: Run, staff: Staff, work: str, kept: Kept | None, shards: Sequence[str]) -> None:
    """One pass of an engine over the shards that it has not been asked about."""
    if kept is None or not shards:
        return
    done, keys = kept.done(), run.plan.stage_keys()
    jobs: list[Job] = [(work, shard) for shard in shards if keys[shard] not in done]
    if jobs:
        images = sum(run.plan.shards[shard][0] for shard in shards)
        left = sum(run.plan.shards[shard][0] for _, shard in jobs)
        site.progress.stage(work, images, images - left)
        began = math.inf
        for finished in staff.run(jobs, site.config.engine_of(ROLES[work])):
            began = min(began, finished.began)
        staff.asked[work] = Asked(left, time.time() - began)


def _captions_and_pairs(
    site: Site, run: Run, staff: Staff, unread: set[str], unbuilt: Sequence[str]
) -> Iterator[Commit]:
    """Captions of the unread shards, the corpus's table, then pairs of the unbuilt ones, in one pass."""
    premises = PremiseStore(site.storage, site.config.output, run.fingerprints.pair)
    images = run.plan.images
    counts = _Counts(premises, run, unread)
    counts.close()
    jobs: list[Job] = [("caption", shard) for shard in sorted(unread)] + [("build", s) for s in unbuilt]
    if not jobs:
        return
    left = sum(run.plan.shards[shard][0] for shard in unbuilt)
    site.progress.stage("captions" if unread else "pairs", images, images - left if unbuilt else 0)
    leaky = 0
    for done in staff.run(jobs):
        if done.work == "build":
            if done.result.leaks is not None and (leaky := leaky + 1) == 1:
                # As soon as it is found: whoever would rather stop need not wait for the report.
                site.progress.say(
                    f"leakage: shard {done.shard} shows pictures of a benchmark; all are told at the end"
                )
            yield done.result
        else:
            counts.add(done.shard)
            if counts.close() and unbuilt:
                site.progress.stage("pairs", images, images - left)


def _crash_face(crashes: Sequence[Done], jobs: int) -> str:
    first = crashes[0]
    return (
        f"{len(crashes)} of {jobs} jobs met a defect, the others are done. First, {first.work} {first.shard}:\n"
        f"{first.crash}The same command tries them again."
    )
