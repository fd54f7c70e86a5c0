"""`mht build` from a configuration to a finished dataset: plan, captions, balance, pairs, books.

Every step can be cut short and taken up again: run.json says what is being built, the captions' counts and the
shards' commits say what is done, and the manifest is written last.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mht.artifacts import RUN, Commit, committed_shards, read_commits, write_named
from mht.config import BuildConfig
from mht.dataset.books import Books, add_up
from mht.dataset.captions import PremiseStore
from mht.dataset.finish import finish
from mht.dataset.leakage.benchmarks import Benchmark, keep, open_benchmarks
from mht.dataset.leakage.report import report
from mht.dataset.lease import Lease
from mht.dataset.memory import MemoryGauge
from mht.dataset.plan import Plan, assign, write_plan
from mht.dataset.progress import ProgressLine
from mht.dataset.review.decisions import Review
from mht.dataset.review.files import read_review
from mht.dataset.run import Run, name_run, resume
from mht.dataset.shard import WorkSpec, make_source
from mht.dataset.stages import fingerprints
from mht.errors import MhtError
from mht.storage import Storage, join

if TYPE_CHECKING:
    from mht.dataset.fleet import Done, Job

Pulse = Callable[[], None]


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did: the books over all shards, and the seconds of this call."""

    run: Run
    books: Books
    stats: dict[str, Any]
    shards_built: int
    images_built: int
    memory_bytes: int | None
    startup_s: float
    """Until a worker began its first job: checking, listing, starting Ray and the workers."""
    work_s: float


@dataclass(frozen=True, slots=True)
class _Site:
    """What the steps of one build share."""

    config: BuildConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    memory: MemoryGauge
    review: Review | None
    benchmarks: Sequence[Benchmark]


def build(config: BuildConfig, progress: ProgressLine, pulse: Pulse) -> BuildReport:
    """Build or resume. `pulse` is called several times a second and may raise to stop (Interrupted)."""
    began = time.time()
    storage = Storage(config.storage)
    review = read_review(storage, config.review) if config.review else None
    if review is not None:
        # What was decided is part of what is built: by its content, and kept in the dataset, where all workers see it.
        config = config.model_copy(update={"review": review.path})
    source = make_source(config.resolved(), storage)
    source.check()
    storage.check_writable(config.output)
    site = _Site(config, storage, progress, pulse, MemoryGauge(), review, _benchmarks(config, storage))
    with ExitStack() as stack:
        stack.enter_context(Lease(_impatient(config), config.output))
        run = resume(storage, config) or _begin(site, source)
        keep(storage, config.output, run, site.benchmarks, progress.say, pulse)
        staff = _Staff(site, run, stack)
        built = _work_off(site, run, staff)
        books = add_up(read_commits(storage, config.output, run.name, sorted(run.plan.shards)))
        if review is not None:
            books.add_review(len(review))
        progress.clear()
        told = report(storage, config.output, run, books.files, source, site.benchmarks)
        stats = finish(storage, config.output, run, books, config.build, told)
        return BuildReport(
            run=run,
            books=books,
            stats=stats,
            shards_built=len(built),
            images_built=sum(commit.counts["total"]["in"] for commit in built),
            memory_bytes=site.memory.peak_bytes,
            startup_s=min(staff.first_job, time.time()) - began,
            work_s=max(0.0, time.time() - staff.first_job),
        )


def _benchmarks(config: BuildConfig, storage: Storage) -> list[Benchmark]:
    resolved = config.resolved()
    return open_benchmarks(storage, resolved, fingerprints(resolved).image)


def _impatient(config: BuildConfig) -> Storage:
    """For the lease: its heartbeat must not outlive the build by waiting for a store that is gone."""
    given = config.storage
    limits = ("outage_limit_s", "connect_timeout_s", "read_timeout_s")
    return Storage(given.model_copy(update={name: min(5.0, getattr(given, name)) for name in limits}))


def _begin(site: _Site, source: Any) -> Run:
    """Plan a new run and write what it is, before any work."""
    config = site.config
    resolved = config.resolved()
    site.progress.say(f"planning: listing {resolved['source']['kind']} {resolved['source'].get('path', '')}")
    shards = assign(source.items(), config.seed, config.splits, config.build.shard_images)
    plan = write_plan(site.storage, config.output, _pulsed(shards, site.pulse))
    prints = fingerprints(resolved)
    run = Run(name_run(resolved, prints, plan), resolved, prints, plan)
    if site.review is not None:
        write_named(site.storage, config.output, site.review.path, site.review.to_bytes())
    site.storage.write(join(config.output, RUN), run.to_json())
    site.progress.say(f"planned: {_plan_face(plan)}")
    return run


def _pulsed(shards: Iterator[Any], pulse: Pulse) -> Iterator[Any]:
    for shard in shards:
        pulse()
        yield shard


def _plan_face(plan: Plan) -> str:
    splits = ", ".join(f"{name} {count:,}" for name, count in plan.splits.items())
    return f"{plan.images:,} images in {plan.groups:,} groups, {len(plan.shards):,} shards ({splits})"


class _Staff:
    """The fleet, started when the first shard needs it: a finished dataset costs no Ray."""

    def __init__(self, site: _Site, run: Run, stack: ExitStack) -> None:
        self._site = site
        self._run = run
        self._stack = stack
        self.first_job = math.inf

    def run(self, jobs: Sequence[Job]) -> Iterator[Done]:
        """Start the fleet and let it work the jobs off, the progress line following."""
        from mht.dataset import fleet

        site, config, run = self._site, self._site.config, self._run
        self._stack.callback(
            fleet.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
        )
        spec = WorkSpec(
            config.output,
            run.name,
            config.resolved(),
            run.fingerprints,
            run.plan.stage_keys(),
            tuple((benchmark.name, benchmark.index) for benchmark in site.benchmarks),
        )
        workers = config.build.workers or fleet.cpus()
        staffing = fleet.FleetConfig(workers, config.build.stall_s, config.build.stall_tries)
        crew = fleet.Fleet(spec, staffing)

        def pulse() -> None:
            site.pulse()
            site.memory.look()
            site.progress.show(*crew.totals)

        return crew.run(jobs, pulse)


def _work_off(site: _Site, run: Run, staff: _Staff) -> list[Commit]:
    """Captions, then pairs, of every shard that has none yet, in one pass. Returns the commits made now."""
    premises = PremiseStore(site.storage, site.config.output, run.fingerprints.pair)
    keys = run.plan.stage_keys()
    counted, committed = premises.done(), set(committed_shards(site.storage, site.config.output, run.name))
    unread = {shard for shard, key in keys.items() if key not in counted}
    unbuilt = [shard for shard in keys if shard not in committed]
    if not unread and unbuilt:
        premises.add_up(list(keys.values()), run.name)
    if committed and unbuilt:
        site.progress.say(f"resuming run {run.name}: {len(committed)} of {len(keys)} shards are committed")
    jobs: list[Job] = [("caption", shard) for shard in sorted(unread)] + [("build", s) for s in unbuilt]
    if not jobs:
        return []
    done_before = sum(run.plan.shards[shard][0] for shard in committed)
    site.progress.stage("captions" if unread else "pairs", run.plan.images, done_before)
    commits: list[Commit] = []
    crashes: list[Done] = []
    for done in staff.run(jobs):
        staff.first_job = min(staff.first_job, done.began)
        if done.error is not None:
            raise done.error
        if done.crash is not None:
            crashes.append(done)
        elif done.work == "build":
            commits.append(done.result)
            _mention_leaks(site, commits)
        else:
            unread.discard(done.shard)
            if not unread:
                premises.add_up(list(keys.values()), run.name)
                site.progress.stage("pairs", run.plan.images, done_before)
    if crashes:
        raise MhtError(_crash_face(crashes, len(jobs)))
    return commits


def _mention_leaks(site: _Site, commits: Sequence[Commit]) -> None:
    """Tell of the first leak as soon as it is found: whoever would rather stop need not wait for the report."""
    told = [commit.shard for commit in commits if commit.leaks is not None]
    if len(told) == 1 and commits[-1].leaks is not None:
        site.progress.say(f"leakage: shard {told[0]} shows pictures of a benchmark; all are told at the end")


def _crash_face(crashes: Sequence[Done], jobs: int) -> str:
    first = crashes[0]
    return (
        f"{len(crashes)} of {jobs} jobs met a defect, the others are done. First, {first.work} {first.shard}:\n"
        f"{first.crash}The same command tries them again."
    )
