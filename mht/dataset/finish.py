"""Closing a dataset: near-duplicates over the whole corpus, stats, the card, and last the manifest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mht.artifacts import (
    MANIFEST,
    RUN,
    SUCCESS,
    FileRecord,
    dump_json,
    manifest_bytes,
    parquet_bytes,
    read_table,
    record_of,
    write_named,
)
from mht.dataset.books import Books
from mht.dataset.run import Run
from mht.imaging.hashes import near_duplicates
from mht.schemas import DUPLICATE_SCHEMA
from mht.storage import Storage, join

DUPLICATES = "duplicates.parquet"
STATS = "stats.json"
CARD = "README.md"


def finish(storage: Storage, root: str, run: Run, books: Books, max_distance_bits: int) -> dict[str, Any]:
    """Write everything that stands beside the shards, the manifest and _SUCCESS last; returns the stats.

    `root` is where the dataset lies now, which need not be where its run began.
    """
    books.close(run.plan.images)
    duplicates, skipped = find_duplicates(storage, root, books.files, max_distance_bits)
    stats: dict[str, Any] = {
        "run": run.name,
        "books": books.plain(),
        "splits": run.plan.splits,
        "groups": run.plan.groups,
        "bytes": books.bytes,
        "duplicates": duplicate_stats(duplicates, skipped),
    }
    beside = [
        write_named(storage, root, DUPLICATES, parquet_bytes(duplicates), duplicates.num_rows),
        write_named(storage, root, STATS, dump_json(stats)),
        write_named(storage, root, CARD, card(run, books).encode()),
        run.plan.file,
        record_of(storage, root, RUN),
    ]
    manifest = manifest_bytes(run.name, books.files + beside, stats["books"]["total"])
    storage.write(join(root, MANIFEST), manifest)
    storage.write(join(root, SUCCESS), b"")
    return stats


def find_duplicates(
    storage: Storage, root: str, files: Sequence[FileRecord], max_distance_bits: int
) -> tuple[pa.Table, int]:
    """(pairs of images that look the same, how many groups of look-alikes were too large to compare)."""
    wanted = sorted((f for f in files if f.path.startswith("hashes/")), key=lambda f: f.path)
    tables = [read_table(storage, root, record) for record in wanted]
    rows = pa.concat_tables(tables).sort_by("image_id")
    ids, splits, groups, shas, hashes = (rows.column(i).to_pylist() for i in range(rows.num_columns))
    found = near_duplicates(hashes, max_distance_bits)
    pairs = sorted(found.pairs)
    columns = {
        "image_id": [ids[j] for _, j, _ in pairs],
        "duplicate_of": [ids[i] for i, _, _ in pairs],
        "distance_bits": [distance for _, _, distance in pairs],
        "same_bytes": [shas[i] == shas[j] for i, j, _ in pairs],
        "same_group": [groups[i] == groups[j] for i, j, _ in pairs],
        "same_split": [splits[i] == splits[j] for i, j, _ in pairs],
    }
    table = pa.table({f.name: pa.array(columns[f.name], f.type) for f in DUPLICATE_SCHEMA})
    return table, found.skipped_buckets


def duplicate_stats(table: pa.Table, skipped_buckets: int) -> dict[str, int]:
    """Counts for stats.json: pairs, those of equal bytes, and those that lie in two splits."""
    across = sum(not same for same in table.column("same_split").to_pylist())
    exact = sum(table.column("same_bytes").to_pylist())
    return {
        "pairs": table.num_rows,
        "same_bytes": exact,
        "across_splits": across,
        "skipped_buckets": skipped_buckets,
    }


def card(run: Run, books: Books) -> str:
    """The dataset's README: what it is, how it was made, what it is not."""
    plain = books.plain()
    tables = "\n".join(
        f"| {name} | {', '.join(f'{key} {n:,}' for key, n in plain.get(name, {}).items()) or '–'} |"
        for name in ("state", "form", "type", "polarity", "risk", "reason")
    )
    splits = "\n".join(
        f"  - split: {split}\n    path: pairs/{split}-*.parquet" for split in sorted(run.plan.splits)
    )
    return _CARD.format(
        splits=splits,
        run=run.name,
        images=books.total("out"),
        pairs=books.total("pairs"),
        quarantined=books.total("quarantined"),
        source=run.resolved["source"]["kind"],
        tables=tables,
    )


_CARD = """---
pretty_name: dual-state medical instruction pairs
task_categories:
- visual-question-answering
tags:
- medical
- hallucination
configs:
- config_name: pairs
  data_files:
{splits}
---

# Dual-state medical instruction pairs

Built by `mht build`, run `{run}`, from a `{source}` source: {pairs:,} question-answer pairs on {images:,} images,
{quarantined:,} inputs quarantined. Each hallucinated pair, whose premise is false in one span, stands beside a
faithful twin on the same image in the same form.

| column | values and pairs |
|---|---|
{tables}

`images/` holds one row an image (bytes as Hugging Face's `Image`), `pairs/` one row a pair, `quarantine/` each input
that became no pair, with its reason. Read what `MANIFEST.json` names and nothing else; `mht verify` checks it,
`mht explain PAIR_ID` shows how a pair was made. The settings are in `run.json`.

Risk levels and answers follow annotation rules, not a clinician's judgement. This is material for research on
vision-language models, not a medical device, and no basis for any decision about a patient.
"""
