"""`mht build plan=true`: time, bytes and memory from a probe of some images, and after a run what was predicted.

The probe does the build's own work, in as many processes at once as the build will have on this machine, so that
what they take from each other is in the figure.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from mht.artifacts import Commit, dump_json
from mht.config import BuildConfig, SplitConfig
from mht.config_identity import identity_hash
from mht.dataset.asked.predict import lend, predict_asked
from mht.dataset.asked.stages import check_engines
from mht.dataset.captions import PremiseStore
from mht.dataset.memory import tree_bytes
from mht.dataset.plan import Plan, assign, write_plan
from mht.dataset.shard import ShardBuilder, WorkSpec, make_source
from mht.dataset.stages import fingerprints
from mht.errors import InputError
from mht.records import PlannedImage, Refusal, SourceItem
from mht.storage import Storage, StorageParams, join
from mht.terminal import clock_face, size_face, table
from mht.watch import Progress

if TYPE_CHECKING:
    from mht.dataset.build import BuildReport

PREDICTION = "prediction.json"
PROBE_SHARE = 0.1
"""Of the images, how many a probe takes; what it measures in a second or less is chance."""
FEWEST_IMAGES, MOST_IMAGES = 240, 960
_WARM_SHARE = 0.25
"""Of a process's images, those before the clock starts: words and questions are remembered once they were met."""
# A local Ray with the driver and Ray Data's own actors; what Ray Data adds to a worker; see LOG.md.
_RAY_BYTES = 900 << 20
_RAY_IN_WORKER_BYTES = 60 << 20
_RAY_CORES = 0.12
"""Of one core, what all of Ray takes while it waits for the workers."""
_CLOSING_S, _CLOSING_IMAGE_S = 1.0, 0.0002
"""What the driver does alone, before and after the shards: sums of counts, near-duplicates, the manifest."""
_TABLE_FACTOR = 3.0
"""Bytes in memory for a byte of the premise table as it is written."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a build will take: images, pairs, seconds of work after start-up, bytes written, memory in bytes."""

    identity: str
    images: int
    pairs: int
    workers: int
    work_s: float
    bytes: int
    memory_bytes: int
    probe_images: int
    calls: int = 0
    tokens: int = 0
    gpu_hours: float = 0.0
    money: float | None = None


def plan_build(config: BuildConfig) -> int:
    """Probe, print, keep the prediction beside the output; builds nothing. Returns the exit code."""
    prediction = predict(config)
    storage = Storage(config.storage)
    storage.write(join(config.output, PREDICTION), dump_json(asdict(prediction)))
    rows = {
        "images": f"{prediction.images:,}",
        "pairs": f"about {prediction.pairs:,}",
        "workers": f"{prediction.workers}",
        "time": f"about {clock_face(prediction.work_s)} after start-up",
        "bytes": f"about {size_face(prediction.bytes)}",
        "memory": f"about {size_face(prediction.memory_bytes)} in all",
        "from": f"a probe of {prediction.probe_images} images",
    }
    if prediction.calls:
        rows["calls"] = f"about {prediction.calls:,}, {prediction.tokens:,} tokens"
    if prediction.gpu_hours:
        rows["GPU-hours"] = f"about {prediction.gpu_hours:,.2f}"
    if prediction.money is not None:
        rows["money"] = f"about {prediction.money:,.2f}"
    print(table(rows))
    return 0


def predict(config: BuildConfig) -> Prediction:
    """Raises InputError when the source lists nothing."""
    storage = Storage(config.storage)
    source = make_source(config.resolved(), storage)
    source.check()
    items = list(source.items())
    if not items:
        raise InputError("the source lists no image. Look at source.path and at what is there.")
    check_engines(config)
    asked = predict_asked(config, items)
    workers = config.build.workers or os.cpu_count() or 1
    at_once = min(workers, os.cpu_count() or 1)
    with tempfile.TemporaryDirectory(prefix="mht-probe-") as folder:
        measured = _probe(config, items, at_once, folder, asked.texts)
    images = sum(one.images for one in measured)
    scale = len(items) / images
    rate = sum(one.images / one.seconds for one in measured) * workers / at_once
    rate *= 1 - _RAY_CORES / (os.cpu_count() or 1)
    per_worker = max(one.memory_bytes for one in measured) + _RAY_IN_WORKER_BYTES
    table = round(_TABLE_FACTOR * max(table_bytes(one.tables, len(items)) for one in measured))
    return Prediction(
        identity=identity_hash(config.resolved()),
        images=len(items),
        pairs=round(sum(one.pairs for one in measured) * scale),
        workers=workers,
        work_s=round(asked.seconds + len(items) / rate + _CLOSING_S + _CLOSING_IMAGE_S * len(items), 1),
        bytes=round(sum(one.bytes for one in measured) * scale),
        memory_bytes=_RAY_BYTES + workers * per_worker + (workers + 1) * table,
        probe_images=images,
        calls=asked.calls,
        tokens=asked.tokens,
        gpu_hours=round(asked.gpu_hours, 3),
        money=None if asked.money is None else round(asked.money, 2),
    )


@dataclass(frozen=True, slots=True)
class _Measured:
    images: int
    pairs: int
    bytes: int
    seconds: float
    memory_bytes: int
    tables: tuple[tuple[int, int], ...]
    """(images, bytes) of the premise table after the images that warm up, and after all."""


def table_bytes(tables: Sequence[tuple[int, int]], images: int) -> float:
    """The premise table's size over so many images: distinct wordings grow as a power of their number (Heaps)."""
    (some, small), (more, large) = tables[0], tables[-1]
    if more <= some or large <= small:
        return float(large)
    power = min(1.0, math.log(large / small) / math.log(more / some))
    return large * math.pow(images / more, power)


def _probe(
    config: BuildConfig,
    items: Sequence[SourceItem],
    processes: int,
    folder: str,
    texts: Sequence[str | Refusal],
) -> list[_Measured]:
    """Each process builds a small shard to warm up and a bigger one against the clock."""
    wanted = min(len(items), max(FEWEST_IMAGES, min(MOST_IMAGES, round(PROBE_SHARE * len(items)))))
    sample = [items[i * len(items) // wanted] for i in range(wanted)]
    storage = Storage(StorageParams())
    # What a model words or judges is in the other probe; what it said of a few images stands in for the rest.
    resolved = config.resolved() | {
        "review": None,
        "writer": {"kind": "templates"},
        "verifier": {"kind": "none"},
    }
    size = -(-wanted // processes)
    groups = [sample[i : i + size] for i in range(0, wanted, size)]
    everything_in_train = SplitConfig(train=1, validation=0, test=0)
    specs = []
    for index, group in enumerate(groups):
        root = join(folder, str(index))
        plan = write_plan(storage, root, _warm_and_measured(group, everything_in_train, config.seed))
        specs.append((root, plan))
    prints = fingerprints(resolved)
    if prints.text is not None:
        for root, plan in specs:
            lend(storage, root, prints.text, plan, texts)
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(len(specs))
    with context.Pool(len(specs), initializer=_hold, initargs=(barrier,)) as pool:
        jobs = [(WorkSpec(root, "probe", resolved, prints, plan.stage_keys()), plan) for root, plan in specs]
        return pool.map(_measure, jobs, chunksize=1)


def _warm_and_measured(
    group: Sequence[SourceItem], splits: SplitConfig, seed: int
) -> list[list[PlannedImage]]:
    warm = int(_WARM_SHARE * len(group))
    shards = [
        *assign(group[:warm], seed, splits, max(1, warm)),
        *assign(group[warm:], seed, splits, len(group)),
    ]
    return [[replace(row, shard=f"probe-{number}") for row in rows] for number, rows in enumerate(shards)]


_barrier: Any = None


def _hold(barrier: Any) -> None:
    global _barrier
    _barrier = barrier


def _measure(job: tuple[WorkSpec, Plan]) -> _Measured:
    spec, plan = job
    builder = ShardBuilder(spec, _silent)
    try:
        shards = sorted(plan.shards)
        captions_s = _caption_all(builder, shards)
        tables = _count_all(spec, plan, shards)
        for shard in shards[:-1]:
            builder.build(shard)
        _barrier.wait(timeout=60)
        began = time.monotonic()
        commit: Commit = builder.build(shards[-1])
        seconds = time.monotonic() - began + captions_s
        written = sum(record.bytes for record in commit.files())
        total = commit.counts["total"]
        return _Measured(total["in"], total["pairs"], written, seconds, tree_bytes() or 0, tables)
    finally:
        builder.close()


def _caption_all(builder: ShardBuilder, shards: Sequence[str]) -> float:
    """Caption every shard; returns the seconds of the last, the measured one."""
    seconds = 0.0
    for shard in shards:
        began = time.monotonic()
        builder.caption(shard)
        seconds = time.monotonic() - began
    return seconds


def _count_all(spec: WorkSpec, plan: Plan, shards: Sequence[str]) -> tuple[tuple[int, int], ...]:
    """Write the run's premise table; returns (images, bytes) of the first shard's and of the whole."""
    storage = Storage(StorageParams(**spec.resolved["storage"]))
    premises = PremiseStore(storage, spec.root, spec.fingerprints.pair)
    keys = plan.stage_keys()
    sizes = []
    for name, some in (("first", shards[:1]), (spec.run, shards)):
        premises.add_up([keys[shard] for shard in some], name)
        sizes.append((sum(plan.shards[shard][0] for shard in some), len(premises.table(name).to_bytes())))
    return tuple(sizes)


def _silent(_: Progress) -> None:
    pass


def compare(config: BuildConfig, report: BuildReport) -> str | None:
    """Predicted against actual, when a plan of this very configuration was made before and all was built now."""
    storage = Storage(config.storage)
    uri = join(config.output, PREDICTION)
    if not storage.exists(uri):
        return None
    said = Prediction(**json.loads(storage.read(uri)))
    if said.identity != identity_hash(config.resolved()) or report.images_built != said.images:
        return None
    lines = {
        "time": _against(clock_face(said.work_s), clock_face(report.work_s), said.work_s, report.work_s),
        "bytes": _against(
            size_face(said.bytes), size_face(report.books.bytes), said.bytes, report.books.bytes
        ),
    }
    spent = sum(n for word, n in report.books.counts.get("spent", {}).items() if word.endswith("/calls"))
    if said.calls and spent:
        lines["calls"] = _against(f"{said.calls:,}", f"{spent:,}", said.calls, spent)
    if report.memory_bytes:
        lines["memory"] = _against(
            size_face(said.memory_bytes),
            size_face(report.memory_bytes),
            said.memory_bytes,
            report.memory_bytes,
        )
    return "predicted, and what it was:\n" + table(lines)


def _against(said: str, was: str, said_value: float, was_value: float) -> str:
    change = (said_value - was_value) / was_value if was_value else 0.0
    return f"{said} -> {was} ({change:+.0%})"
