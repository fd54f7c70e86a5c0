"""What the gate found, told beside the dataset: leakage.parquet for programs, leakage.html with both pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, parquet_bytes, read_table, write_named
from mht.dataset.leakage.benchmarks import Benchmark, pictures
from mht.dataset.leakage.gate import Leak
from mht.dataset.leakage.page import Finding, page
from mht.dataset.plan import PlanReader
from mht.dataset.run import Run
from mht.errors import BenchmarkLeak, StorageError
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, SourceItem
from mht.schemas import LEAK_SCHEMA
from mht.storage import Storage, join

TABLE = "leakage.parquet"
PAGE = "leakage.html"
SHOWN = 200
"""Leaks whose pictures the page shows; the table has them all."""


def report(
    storage: Storage,
    root: str,
    run: Run,
    files: Sequence[FileRecord],
    source: Any,
    benchmarks: Sequence[Benchmark],
) -> list[FileRecord]:
    """Write both files, or take older ones away where there is no benchmark.

    Raises BenchmarkLeak where there are leaks and `leakage.action` is `fail`.
    """
    if not benchmarks:
        for path in (TABLE, PAGE):
            storage.delete(join(root, path))
        return []
    leaks = list(_read(storage, root, files))
    rows = [[getattr(leak, name) for leak in leaks] for name in LEAK_SCHEMA.names]
    columns = [pa.array(values, field.type) for values, field in zip(rows, LEAK_SCHEMA, strict=True)]
    table = pa.Table.from_arrays(columns, schema=LEAK_SCHEMA)
    action = str(run.resolved["leakage"]["action"])
    asked = {benchmark.name: len(benchmark.items) for benchmark in benchmarks}
    findings = list(_findings(storage, root, run, leaks[:SHOWN], source, benchmarks))
    told = page(run.name, action, run.plan.images, asked, findings, len(leaks))
    written = [
        write_named(storage, root, TABLE, parquet_bytes(table), table.num_rows),
        write_named(storage, root, PAGE, told.encode()),
    ]
    if leaks and action == "fail":
        raise BenchmarkLeak(_face(root, leaks))
    return written


def _face(root: str, leaks: Sequence[Leak]) -> str:
    of = ", ".join(f"{n:,} of {name!r}" for name, n in sorted(Counter(x.benchmark for x in leaks).items()))
    return (
        f"{len(leaks):,} images show pictures of a benchmark ({of}); no dataset was closed. Look at "
        f"{join(root, PAGE)}. Take them out of the source, or give leakage.action=quarantine new_run=true to leave "
        "them out (report keeps them); what did not change is reused."
    )


def _read(storage: Storage, root: str, files: Sequence[FileRecord]) -> Iterator[Leak]:
    """Every leak, in the order of benchmarks and likeness."""
    found = [
        Leak(**row)
        for record in files
        if record.path.startswith("leaks/")
        for row in read_table(storage, root, record).to_pylist()
    ]
    yield from sorted(found, key=lambda x: (x.benchmark, -(x.likeness or 0), x.distance_bits, x.image_id))


def _findings(
    storage: Storage,
    root: str,
    run: Run,
    leaks: Sequence[Leak],
    source: Any,
    benchmarks: Sequence[Benchmark],
) -> Iterator[Finding]:
    """The leaks with their names and pictures, both read again from where they came."""
    params = ImagingParams(**run.resolved["imaging"])
    ours = _planned(storage, root, leaks)
    seen = _seen(source, list(ours.values()), params)
    theirs: dict[str, dict[str, NormalisedImage]] = {}
    for benchmark in benchmarks:
        wanted = {leak.picture for leak in leaks if leak.benchmark == benchmark.name}
        items = [item for item in benchmark.items if item.name in wanted]
        theirs.setdefault(benchmark.name, {}).update(_seen(benchmark.source, items, params))
    for leak in leaks:
        name = ours[leak.image_id].name
        yield Finding(leak, name, seen.get(name), theirs[leak.benchmark].get(leak.picture))


def _planned(storage: Storage, root: str, leaks: Sequence[Leak]) -> Mapping[str, SourceItem]:
    wanted = {leak.image_id for leak in leaks}
    items: dict[str, SourceItem] = {}
    if wanted:
        with PlanReader(storage, root) as plan:
            for shard in sorted({leak.shard for leak in leaks}):
                items |= {row.image_id: row.item for row in plan.read(shard) if row.image_id in wanted}
    return items


def _seen(source: Any, items: Sequence[SourceItem], params: ImagingParams) -> dict[str, NormalisedImage]:
    """The pictures by name; one that has gone meanwhile is not among them."""
    if not items:
        return {}
    try:
        found = [(item.name, decoded.result) for item, decoded in pictures(source, items, params)]
    except StorageError:
        return {}
    return {name: image for name, image in found if isinstance(image, NormalisedImage)}
