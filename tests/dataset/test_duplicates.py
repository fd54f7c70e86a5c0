"""Look-alikes across splits: who is named to be left out, through chains of equal hashes, too."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, parquet_bytes, write_content
from mht.dataset.duplicates import duplicate_stats, find_duplicates
from mht.schemas import HASH_SCHEMA
from mht.storage import Storage, StorageParams

ALIKE, OTHER = b"\x0f" * 32, b"\xf0" * 32


def hashes(root: Path, shard: str, rows: list[tuple[str, bytes]]) -> FileRecord:
    """A hashes file of the shard `train-0…`, its images' ids and hashes."""
    columns: dict[str, list[Any]] = {name: [None] * len(rows) for name in HASH_SCHEMA.names}
    columns |= {
        "image_id": [name for name, _ in rows],
        "split": [shard.partition("-")[0]] * len(rows),
        "group": [name for name, _ in rows],
        "source_sha256": [name for name, _ in rows],
        "pixel_hash": [code for _, code in rows],
    }
    table = pa.table({f.name: pa.array(columns[f.name], f.type) for f in HASH_SCHEMA})
    return write_content(
        Storage(StorageParams()), str(root), f"hashes/{shard}", parquet_bytes(table), len(rows)
    )


def left_out(root: Path, files: list[FileRecord]) -> tuple[set[str], dict[str, Any]]:
    table, skipped = find_duplicates(Storage(StorageParams()), str(root), files, 24)
    named = {image for images in table.column("leave_out").to_pylist() for image in images}
    return named, duplicate_stats(table, skipped)


def near(bits: int) -> bytes:
    """`ALIKE` with so many bits turned over."""
    return (int.from_bytes(ALIKE, "big") ^ ((1 << bits) - 1)).to_bytes(32, "big")


def test_what_is_tested_on_stays_and_every_copy_elsewhere_is_named(tmp_path: Path) -> None:
    files = [
        hashes(tmp_path, "train-00000", [("a", ALIKE), ("b", ALIKE), ("c", OTHER)]),
        hashes(tmp_path, "test-00000", [("d", ALIKE)]),
        hashes(tmp_path, "validation-00000", [("e", near(3)), ("f", bytes(32))]),
    ]
    named, stats = left_out(tmp_path, files)
    assert named == {"a", "b", "e"}
    assert (stats["leave_out"], stats["same_bytes"]) == (3, 0)


def test_copies_within_a_split_stay(tmp_path: Path) -> None:
    files = [
        hashes(tmp_path, "train-00000", [("a", ALIKE), ("b", ALIKE)]),
        hashes(tmp_path, "test-00000", [("c", OTHER)]),
    ]
    named, stats = left_out(tmp_path, files)
    assert named == set()
    assert (stats["pairs"], stats["across_splits"]) == (1, 0)


def test_a_chain_of_look_alikes_reaches_as_far_as_it_goes(tmp_path: Path) -> None:
    files = [
        hashes(tmp_path, "train-00000", [("a", near(0)), ("b", near(20))]),
        hashes(tmp_path, "test-00000", [("c", near(40))]),
    ]
    assert left_out(tmp_path, files)[0] == {"a", "b"}
