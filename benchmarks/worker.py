"""Where one worker's time goes: shards built in this process, the parent under cProfile, the child by its CPU time.

The decoding child works while the parent makes pairs, so a shard's wall time is about that of the slower of both
when there is a core for each, and their sum when there is not. Both are therefore given as CPU time, too, and beside
them what the same steps cost when they are called alone, which is what a hand-written pool pays.
"""

from __future__ import annotations

import cProfile
import io
import os
import pstats
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.report import markdown
from mht.artifacts import parquet_bytes
from mht.config import BuildConfig, SplitConfig, load
from mht.dataset.asked.stages import cleaner
from mht.dataset.captions import PremiseStore, count_premises, read_captions
from mht.dataset.pixels import ImageRow, image_table
from mht.dataset.plan import Plan, assign, write_plan
from mht.dataset.shard import Progress, ShardBuilder, WorkSpec, make_source
from mht.dataset.stages import fingerprints, pairing_context
from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.pairing.premises import PremiseTable
from mht.pairing.twins import make_pairs
from mht.records import NormalisedImage, PlannedImage
from mht.schemas import PAIR_SCHEMA, to_table
from mht.storage import Storage, join

SHARD_IMAGES = 250
_TOP = 30


def profile(folder: Path, output: Path) -> str:
    """Build every shard but the first, which warms up, under the profiler; returns the tables."""
    shutil.rmtree(output, ignore_errors=True)
    words = ["source.kind=folder", f"source.path={folder}", f"output={output}"]
    config = load(None, [*words, f"build.shard_images={SHARD_IMAGES}"])
    storage = Storage(config.storage)
    try:
        plan, spec = _plan(config, storage)
        builder = ShardBuilder(spec, _silent)
        try:
            return _profiled(builder, spec, plan, storage) + "\n\n" + _alone(config, storage, spec, plan)
        finally:
            builder.close()
    finally:
        shutil.rmtree(output, ignore_errors=True)


def _plan(config: BuildConfig, storage: Storage) -> tuple[Plan, WorkSpec]:
    resolved = config.resolved()
    source = make_source(resolved, storage)
    shards = assign(source.items(), config.seed, SplitConfig(train=1, validation=0, test=0), SHARD_IMAGES)
    plan = write_plan(storage, config.output, shards)
    return plan, WorkSpec(config.output, "profile", resolved, fingerprints(resolved), plan.stage_keys())


def _profiled(builder: ShardBuilder, spec: WorkSpec, plan: Plan, storage: Storage) -> str:
    shards = sorted(plan.shards)
    captions = _Clocks()
    with captions:
        for shard in shards:
            builder.caption(shard)
    add_up = _Clocks()
    with add_up:
        PremiseStore(storage, spec.root, spec.fingerprints.pair).add_up(
            list(plan.stage_keys().values()), spec.run
        )
    builder.build(shards[0])
    measured = shards[1:] or shards
    if measured == shards:
        shutil.rmtree(join(spec.root, "commits"), ignore_errors=True)
        shutil.rmtree(join(spec.root, "stages"), ignore_errors=True)
    images = sum(plan.shards[shard][0] for shard in measured)
    profiler, clocks = cProfile.Profile(), _Clocks()
    # Every other shard without the profiler, whose own cost is large in code of many small calls.
    with clocks:
        for shard in measured[::2]:
            builder.build(shard)
    clocked = sum(plan.shards[shard][0] for shard in measured[::2])
    for shard in measured[1::2]:
        profiler.runcall(builder.build, shard)
    rows = [
        ("captions", *captions.per(plan.images)),
        ("sum of the counts (driver)", *add_up.per(plan.images)),
        ("pairs, pixels, files", *clocks.per(clocked)),
    ]
    head = ("ms an image", "wall", "CPU of the worker", "CPU of its decoding child")
    text = f"{images} images in {len(measured)} shards after a first one that warmed up\n\n{markdown(head, rows)}"
    return f"{text}\n\n{_profile_face(profiler)}" if measured[1::2] else text


def _profile_face(profiler: cProfile.Profile) -> str:
    sink = io.StringIO()
    stats = pstats.Stats(profiler, stream=sink).strip_dirs()
    stats.sort_stats("cumulative").print_stats(_TOP)
    stats.sort_stats("tottime").print_stats(_TOP)
    return (
        "The worker under cProfile (its own cost included; the child is what it waits for):\n"
        + sink.getvalue()
    )


class _Clocks:
    """Wall, this process's CPU and its children's CPU seconds over a block."""

    def __enter__(self) -> _Clocks:
        self._began = self._now()
        return self

    def __exit__(self, *_: object) -> None:
        self._took = [now - then for now, then in zip(self._now(), self._began, strict=True)]

    def per(self, images: int) -> tuple[str, ...]:
        return tuple(f"{1000 * seconds / images:.3f}" for seconds in self._took)

    def _now(self) -> tuple[float, float, float]:
        return time.monotonic(), time.process_time(), _children_cpu_s()


def _children_cpu_s() -> float:
    """CPU seconds of the processes that this one started and that are alive."""
    ticks = 0
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue  # it ended meanwhile
            if int(fields[1]) == os.getpid():
                ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _alone(config: BuildConfig, storage: Storage, spec: WorkSpec, plan: Plan) -> str:
    """Each step called in a plain loop over one shard's images, in this process and without the child."""
    from mht.dataset.plan import PlanReader

    with PlanReader(storage, spec.root) as reader:
        rows = reader.read(sorted(plan.shards)[0])
    source = make_source(config.resolved(), storage)
    steps = _Steps()
    fetched = steps.time(
        "bytes from storage", len(rows), lambda: source.fetch([r.item for r in rows], 1 << 26)
    )
    read = steps.time(
        "captions read",
        len(rows),
        lambda: read_captions(rows, source.captions([row.item for row in rows]), cleaner(config.resolved())),
    )
    steps.time("premises counted", len(rows), lambda: count_premises(read))
    kept = [i for i, row in enumerate(read) if row.refusal is None]
    table = PremiseStore(storage, spec.root, spec.fingerprints.pair).table(spec.run)
    steps.time("premise table loaded", len(rows), lambda: PremiseTable.from_bytes(table.to_bytes()))
    context = replace(pairing_context(config.resolved()), table=table)
    made = steps.time(
        "pairs made",
        len(kept),
        lambda: [make_pairs(rows[i].image_id, rows[i].split, read[i].known(), context).pairs for i in kept],
    )
    imaging = ImagingParams(**config.resolved()["imaging"])
    images = steps.time(
        "images normalised", len(kept), lambda: [normalise(fetched[i].data or b"", imaging) for i in kept]
    )
    whole = _image_rows([rows[i] for i in kept], [read[i].known() for i in kept], images)
    steps.time("images written", len(kept), lambda: parquet_bytes(image_table(whole), stored=("image",)))
    pairs = [pair for some in made for pair in some]
    steps.time("pairs written", len(kept), lambda: parquet_bytes(to_table(pairs, PAIR_SCHEMA)))
    return markdown(("each step alone, ms an image", "wall", "CPU"), steps.rows)


def _image_rows(
    rows: Sequence[PlannedImage], readings: Sequence[Any], images: Sequence[Any]
) -> list[ImageRow]:
    whole = zip(rows, readings, images, strict=True)
    return [
        ImageRow(row, reading, image) for row, reading, image in whole if isinstance(image, NormalisedImage)
    ]


class _Steps:
    """A table of steps; each is run twice and the second run counts."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = []

    def time(self, name: str, images: int, step: Callable[[], Any]) -> Any:
        step()
        clocks = _Clocks()
        with clocks:
            result = step()
        self.rows.append((name, *clocks.per(images)[:2]))
        return result


def _silent(_: Progress) -> None:
    """Nobody watches this worker."""
