"""What a contestant's output holds, whatever its files look like: pair_id -> row_hash, image_id -> sha256 of bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_BATCH_ROWS = 500


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows of both kinds, and one digest over all their ids and hashes in the order of the ids."""

    images: int
    pairs: int
    digest: str


def rows_of(output: Path) -> Rows:
    """Raises ValueError for an id that stands twice. With a manifest, only what it names counts."""
    images: dict[str, str] = {}
    pairs: dict[str, str] = {}
    for path in _files(output):
        file = pq.ParquetFile(path)
        names = file.schema_arrow.names
        if "pair_id" in names:
            for batch in file.iter_batches(columns=["pair_id", "row_hash"], batch_size=_BATCH_ROWS):
                _put(pairs, zip(*batch.to_pydict().values(), strict=True))
        elif "image" in names:
            columns = ["image_id", "image", *(["pairs"] if "pairs" in names else [])]
            for batch in file.iter_batches(columns=columns, batch_size=_BATCH_ROWS):
                _put(images, _images_in(batch))
                _put(pairs, _pairs_in(batch))
    digest = hashlib.sha256()
    for kind in (images, pairs):
        for one, value in sorted(kind.items()):
            digest.update(f"{one} {value}\n".encode())
    return Rows(len(images), len(pairs), digest.hexdigest())


def _files(output: Path) -> list[Path]:
    manifest = output / "MANIFEST.json"
    if manifest.exists():
        listed = json.loads(manifest.read_bytes())["files"]
        paths = [
            output / record["path"] for record in listed if record["path"].startswith(("images/", "pairs/"))
        ]
    else:
        paths = list(output.rglob("*.parquet"))
    return sorted(paths)


def _images_in(batch: pa.RecordBatch) -> Iterator[tuple[str, str]]:
    ids, image = batch.column("image_id"), batch.column("image")
    for one, data in zip(ids.to_pylist(), image.field("bytes"), strict=True):
        yield one, hashlib.sha256(data.as_buffer()).hexdigest()


def _pairs_in(batch: pa.RecordBatch) -> Iterator[tuple[str, str]]:
    if "pairs" not in batch.schema.names:
        return iter(())
    pairs = batch.column("pairs").flatten()
    return zip(pairs.field("pair_id").to_pylist(), pairs.field("row_hash").to_pylist(), strict=True)


def _put(kind: dict[str, str], rows: Iterator[tuple[str, str]]) -> None:
    for one, value in rows:
        if one in kind:
            raise ValueError(f"{one} stands twice in the output")
        kind[one] = value
