"""`mht build` from a configuration to a finished dataset: plan, captions, balance, pairs, books.

Every step can be cut short and taken up again: run.json says what is being built, the captions' counts and the
shards' commits say what is done, and the manifest is written last.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mht.artifacts import RUN, Commit, committed_shards, read_commits
from mht.config import BuildConfig
from mht.dataset.books import Books, add_up
from mht.dataset.captions import CaptionStore
from mht.dataset.finish import finish
from mht.dataset.lease import Lease
from mht.dataset.memory import MemoryGauge
from mht.dataset.plan import Plan, assign, write_plan
from mht.dataset.progress import ProgressLine
from mht.dataset.run import Run, name_run, resume
from mht.dataset.shard import WorkSpec, balance_path, make_source
from mht.dataset.stages import fingerprints
from mht.errors import MhtError
from mht.storage import Storage, join

if TYPE_CHECKING:
    from mht.dataset.fleet import Fleet

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
    planning_s: float
    startup_s: float
    work_s: float


@dataclass(frozen=True, slots=True)
class _Site:
    """What the steps of one build share."""

    config: BuildConfig
    storage: Storage
    progress: ProgressLine
    pulse: Pulse
    memory: MemoryGauge


def build(config: BuildConfig, progress: ProgressLine, pulse: Pulse) -> BuildReport:
    """Build or resume. `pulse` is called several times a second and may raise to stop (Interrupted)."""
    began = time.monotonic()
    storage = Storage(config.storage)
    source = make_source(config.resolved(), storage)
    source.check()
    storage.check_writable(config.output)
    site = _Site(config, storage, progress, pulse, MemoryGauge())
    with ExitStack() as stack:
        stack.enter_context(Lease(_impatient(config), config.output))
        run = resume(storage, config) or _begin(site, source)
        staff = _Staff(site, run, stack)
        began_work = time.monotonic()
        captions = _caption(site, run, staff)
        _balance(site, run, captions)
        built = _build(site, run, staff)
        books = add_up(read_commits(storage, config.output, run.name, sorted(run.plan.shards)))
        progress.clear()
        stats = finish(storage, run, books, config.build.near_duplicate_bits)
        return BuildReport(
            run=run,
            books=books,
            stats=stats,
            shards_built=len(built),
            images_built=sum(commit.counts["total"]["in"] for commit in built),
            memory_bytes=site.memory.peak_bytes,
            planning_s=began_work - began,
            startup_s=staff.startup_s,
            work_s=time.monotonic() - began_work - staff.startup_s,
        )


def _impatient(config: BuildConfig) -> Storage:
    """For the lease: its heartbeat must not outlive the build by waiting for a store that is gone."""
    return Storage(
        config.storage.model_copy(update={"outage_limit_s": min(5.0, config.storage.outage_limit_s)})
    )


def _begin(site: _Site, source: Any) -> Run:
    """Plan a new run and write what it is, before any work."""
    config = site.config
    resolved = config.resolved()
    site.progress.say(f"planning: listing {resolved['source']['kind']} {resolved['source'].get('path', '')}")
    shards = assign(source.items(), config.seed, config.splits, config.build.shard_images)
    plan = write_plan(site.storage, config.output, _pulsed(shards, site.pulse))
    prints = fingerprints(resolved)
    run = Run(name_run(resolved, prints, plan), resolved, prints, plan)
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
        self._fleet: Fleet | None = None
        self.startup_s = 0.0

    def fleet(self) -> Fleet:
        if self._fleet is None:
            from mht.dataset import fleet

            began = time.monotonic()
            config = self._site.config
            stop = fleet.start(config.ray.address, config.ray.object_store_mib, config.ray.temp_dir)
            self._stack.callback(stop)
            spec = WorkSpec(config.output, self._run.name, config.resolved(), self._run.fingerprints)
            staffing = fleet.FleetConfig(
                config.build.workers or fleet.cpus(), config.build.stall_s, config.build.stall_tries
            )
            self._fleet = fleet.Fleet(spec, staffing)
            self.startup_s = time.monotonic() - began
        return self._fleet


def _work_off(site: _Site, run: Run, staff: _Staff, work: str, left: Sequence[str]) -> list[Any]:
    """One pass over the shards that are left. Raises the first error that concerns the whole run."""
    if not left:
        return []
    site.progress.stage(
        "captions" if work == "caption" else "pairs",
        run.plan.images,
        run.plan.images - sum(run.plan.shards[shard][0] for shard in left),
    )
    fleet = staff.fleet()

    def pulse() -> None:
        site.pulse()
        site.memory.look()
        site.progress.show(*fleet.totals)

    results, crashes = [], []
    for done in fleet.run(work, left, pulse):  # type: ignore[arg-type]
        if done.error is not None:
            raise done.error
        if done.crash is not None:
            crashes.append((done.shard, done.crash))
        else:
            results.append(done.result)
    if crashes:
        shard, trace = crashes[0]
        raise MhtError(
            f"{len(crashes)} of {len(left)} shards met a defect, the others are committed. First, "
            f"{shard}:\n{trace}The same command tries them again."
        )
    return results


def _caption(site: _Site, run: Run, staff: _Staff) -> CaptionStore:
    """The caption pass over every shard that has none yet."""
    captions = CaptionStore(site.storage, site.config.output, run.fingerprints.caption)
    done = captions.done()
    left = [shard for shard in sorted(run.plan.shards) if run.plan.stage_key(shard) not in done]
    _work_off(site, run, staff, "caption", left)
    return captions


def _balance(site: _Site, run: Run, captions: CaptionStore) -> None:
    """The corpus-wide premise table, once for the run: every worker decides by the same one."""
    uri = join(site.config.output, balance_path(run.name))
    if not site.storage.exists(uri):
        table = captions.counts([run.plan.stage_key(shard) for shard in run.plan.shards])
        site.storage.create(uri, table.to_bytes())


def _build(site: _Site, run: Run, staff: _Staff) -> list[Commit]:
    """The pair pass over every shard without a commit."""
    done = set(committed_shards(site.storage, site.config.output, run.name))
    left = [shard for shard in sorted(run.plan.shards) if shard not in done]
    if done and left:
        site.progress.say(
            f"resuming run {run.name}: {len(done)} of {len(run.plan.shards)} shards are committed"
        )
    return _work_off(site, run, staff, "build", left)
