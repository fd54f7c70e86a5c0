"""`mht build` from a configuration to a finished dataset: plan, captions, balance, pairs, books.

Every step can be cut short and taken up again: run.json says what is being built, the captions' counts and the
shards' commits say what is done, and the manifest is written last.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from mht.artifacts import RUN, read_commits, write_named
from mht.config import BuildConfig
from mht.dataset.asked.stages import check_engines
from mht.dataset.books import Books, add_up
from mht.dataset.finish import finish
from mht.dataset.leakage.benchmarks import Benchmark, keep, open_benchmarks
from mht.dataset.leakage.report import report
from mht.dataset.memory import MemoryGauge
from mht.dataset.passes import Asked, Pulse, Site, Staff, work_off
from mht.dataset.plan import Plan, assign, write_plan
from mht.dataset.progress import ProgressLine
from mht.dataset.review.files import read_review
from mht.dataset.run import Run, name_run, resume
from mht.dataset.shard import make_source
from mht.dataset.stages import fingerprints
from mht.lease import Lease, impatient
from mht.storage import Storage, join


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
    asked: Mapping[str, Asked]
    """The passes that asked a model, by their job: describe, word, judge."""


def build(config: BuildConfig, progress: ProgressLine, pulse: Pulse) -> BuildReport:
    """Build or resume. `pulse` is called several times a second and may raise to stop (Interrupted)."""
    began = time.time()
    check_engines(config)
    storage = Storage(config.storage)
    review = read_review(storage, config.review) if config.review else None
    if review is not None:
        # What was decided is part of what is built: by its content, and kept in the dataset, where all workers see it.
        config = config.model_copy(update={"review": review.path})
    source = make_source(config.resolved(), storage)
    source.check()
    storage.check_writable(config.output)
    site = Site(config, storage, progress, pulse, MemoryGauge(), review, _benchmarks(config, storage))
    with ExitStack() as stack:
        stack.enter_context(Lease(impatient(config.storage), config.output))
        run = resume(storage, config) or _begin(site, source)
        keep(storage, config.output, run, site.benchmarks, progress.say, pulse)
        staff = Staff(site, run, stack)
        built = work_off(site, run, staff)
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
            asked=staff.asked,
        )


def _benchmarks(config: BuildConfig, storage: Storage) -> list[Benchmark]:
    resolved = config.resolved()
    return open_benchmarks(storage, resolved, fingerprints(resolved).image)


def _begin(site: Site, source: Any) -> Run:
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
