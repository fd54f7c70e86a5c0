"""Images of one corpus that look the same: which they are, and which to leave out so that no test image is trained on.

Groups (patient, case, figure) keep what belongs together in one split, as far as the source tells them. Copies under
two names it does not tell; they are found here, when all images are there, and named rather than taken out: a row would
otherwise depend on rows of other shards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, read_table
from mht.imaging.hashes import near_duplicates
from mht.schemas import DUPLICATE_SCHEMA
from mht.storage import Storage

_READ = ["image_id", "split", "group", "source_sha256", "pixel_hash"]
_KEPT_FIRST = ("test", "validation", "train")


def find_duplicates(
    storage: Storage, root: str, files: Sequence[FileRecord], max_distance_bits: int
) -> tuple[pa.Table, int]:
    """(pairs of images that look the same, how many groups of look-alikes were too large to compare).

    `leave_out` names those of a pair that look like an image of a split that is kept before theirs (test before
    validation before train), be it through others.
    """
    wanted = sorted((f for f in files if f.path.startswith("hashes/")), key=lambda f: f.path)
    tables = [read_table(storage, root, record, _READ) for record in wanted]
    rows = pa.concat_tables(tables).sort_by("image_id")
    ids, splits, groups, shas, hashes = (rows.column(i).to_pylist() for i in range(rows.num_columns))
    found = near_duplicates(hashes, max_distance_bits)
    pairs = sorted(found.pairs)
    first = _first_split([(i, j) for i, j, _ in pairs], splits)
    columns = {
        "image_id": [ids[j] for _, j, _ in pairs],
        "duplicate_of": [ids[i] for i, _, _ in pairs],
        "distance_bits": [distance for _, _, distance in pairs],
        "same_bytes": [shas[i] == shas[j] for i, j, _ in pairs],
        "same_group": [groups[i] == groups[j] for i, j, _ in pairs],
        "same_split": [splits[i] == splits[j] for i, j, _ in pairs],
        "leave_out": [[ids[k] for k in (i, j) if splits[k] != first[k]] for i, j, _ in pairs],
    }
    table = pa.table({f.name: pa.array(columns[f.name], f.type) for f in DUPLICATE_SCHEMA})
    return table, found.skipped_buckets


def _first_split(pairs: Sequence[tuple[int, int]], splits: Sequence[str]) -> Mapping[int, str]:
    """For each image of a pair, the split that is kept first among all that it is joined with."""
    parent: dict[int, int] = {}

    def root(i: int) -> int:
        while parent.setdefault(i, i) != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for i, j in pairs:
        parent[root(j)] = root(i)
    first: dict[int, str] = {}
    for i in parent:
        top = root(i)
        first[top] = min(first.get(top, splits[i]), splits[i], key=_KEPT_FIRST.index)
    return {i: first[root(i)] for i in parent}


def duplicate_stats(table: pa.Table, skipped_buckets: int) -> dict[str, Any]:
    """Counts for stats.json: pairs, those of equal bytes, those that lie in two splits, and images to leave out."""
    across = sum(not same for same in table.column("same_split").to_pylist())
    exact = sum(table.column("same_bytes").to_pylist())
    leave_out = {image for images in table.column("leave_out").to_pylist() for image in images}
    return {
        "pairs": table.num_rows,
        "same_bytes": exact,
        "across_splits": across,
        "leave_out": len(leave_out),
        "skipped_buckets": skipped_buckets,
    }
