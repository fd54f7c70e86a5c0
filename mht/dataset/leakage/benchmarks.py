"""The benchmarks' pictures, read once and kept beside the dataset as what an image can be compared with.

`leakage/<fingerprint>.parquet` holds one row a picture: its name, the hash of its bytes, a thumbnail of 64 x 64 and the
hashes of the picture whole and cut; or why it cannot be read. The pictures themselves are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mht import catalog
from mht.artifacts import dump_json, parquet_bytes
from mht.dataset.pixels import BATCH_IMAGES, PixelStage
from mht.dataset.run import Run
from mht.errors import InputError, RunConflict
from mht.imaging.guard import Decoded
from mht.imaging.leakage import codes_of
from mht.imaging.likeness import THUMBNAIL_BYTES, THUMBNAIL_SIDE
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, PlannedImage, Refusal, SourceItem
from mht.schemas import BENCHMARK_SCHEMA
from mht.seeds import digest
from mht.storage import Storage, join


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One benchmark of the configuration: what it is called in reports, its source, and what the source lists."""

    name: str
    source: Any
    items: tuple[SourceItem, ...]
    index: str
    """Its index file, below the dataset's root."""


def name_of(entry: Mapping[str, Any]) -> str:
    """What a benchmark is called: its address, or its kind where it has none."""
    return str(entry.get("path", entry["kind"]))


def open_benchmarks(storage: Storage, resolved: Mapping[str, Any], image_stage: str) -> list[Benchmark]:
    """The configured benchmarks, listed. Raises a storage error or InputError for one that cannot be read.

    `image_stage` is the fingerprint of the image stage, whose code and settings decode the benchmarks, too.
    """
    return [_listed(storage, entry, image_stage) for entry in resolved["leakage"]["benchmarks"]]


def _listed(storage: Storage, entry: Mapping[str, Any], image_stage: str) -> Benchmark:
    settings = dict(entry)
    module = catalog.load("sources", settings.pop("kind"))
    source = module.Source(module.Params(**settings), storage)
    source.check()
    items = tuple(source.items())
    told = [[i.name, i.offset_bytes, i.length_bytes, i.row, i.size_bytes, i.version] for i in items]
    mark = digest(json.dumps([entry, image_stage, told], sort_keys=True), size=8).hex()
    return Benchmark(name_of(entry), source, items, f"leakage/{mark}.parquet")


def keep(
    storage: Storage,
    root: str,
    run: Run,
    benchmarks: Sequence[Benchmark],
    say: Callable[[str], None],
    pulse: Callable[[], None],
) -> None:
    """Write the index of each benchmark that has none yet, and hold the run to the benchmarks that it began with.

    Raises RunConflict where a benchmark changed since, InputError for one of which no picture can be read.
    """
    files = [benchmark.index for benchmark in benchmarks]
    uri = join(root, "leakage", f"{run.name}.json")
    if not storage.create(uri, dump_json(files)) and json.loads(storage.read(uri)) != files:
        raise RunConflict(
            f"{uri}: run {run.name} began with other pictures in {', '.join(b.name for b in benchmarks)}. "
            "Give new_run=true to compare every image with those of today (what did not change is reused)."
        )
    params = ImagingParams(**run.resolved["imaging"])
    for benchmark in benchmarks:
        if storage.exists(join(root, benchmark.index)):
            continue
        say(f"benchmark {benchmark.name}: reading {len(benchmark.items):,} pictures")
        table = _index(benchmark, params, pulse)
        refused = table.num_rows - table.column("reason").null_count
        if refused == table.num_rows:
            raise InputError(
                f"benchmark {benchmark.name!r}: none of its {refused:,} pictures can be read "
                f"({table.column('reason')[0].as_py()}). Check leakage.benchmarks."
            )
        if refused:
            say(f"benchmark {benchmark.name}: {refused:,} pictures cannot be read and are not looked for")
        storage.write(join(root, benchmark.index), parquet_bytes(table))


def pictures(
    source: Any, items: Sequence[SourceItem], params: ImagingParams
) -> Iterator[tuple[SourceItem, Decoded]]:
    """The items' pictures, decoded in the guarded child."""
    rows = [PlannedImage(item.name, item, "", "", "") for item in items]
    batches = [rows[i : i + BATCH_IMAGES] for i in range(0, len(rows), BATCH_IMAGES)]
    stage = PixelStage(source, params)
    try:
        for batch, decoded in zip(batches, stage.decode(batches, {}), strict=True):
            yield from ((row.item, one) for row, one in zip(batch, decoded, strict=True))
    finally:
        stage.close()


def _index(benchmark: Benchmark, params: ImagingParams, pulse: Callable[[], None]) -> pa.Table:
    import numpy as np

    columns: dict[str, list[Any]] = {name: [] for name in BENCHMARK_SCHEMA.names}
    for item, decoded in pictures(benchmark.source, benchmark.items, params):
        pulse()
        read = decoded.result if isinstance(decoded.result, NormalisedImage) else None
        small = (read.thumbnail if read else None) or bytes(THUMBNAIL_BYTES)
        square = np.frombuffer(small, np.uint8).reshape(1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        columns["name"].append(item.name)
        columns["reason"].append(decoded.result.reason if isinstance(decoded.result, Refusal) else None)
        columns["source_sha256"].append(read.source_sha256 if read else None)
        columns["thumbnail"].append(small if read else None)
        columns["codes"].append(codes_of(square).tobytes() if read else None)
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in BENCHMARK_SCHEMA})
