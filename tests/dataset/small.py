"""A small finished dataset written by hand: three splits, JPEG and PNG, four pairs an image. No Ray, no source."""

from __future__ import annotations

import io
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
from PIL import Image

from mht.artifacts import (
    MANIFEST,
    FileRecord,
    dump_json,
    manifest_bytes,
    parquet_bytes,
    write_content,
    write_named,
)
from mht.schemas import IMAGE_SCHEMA, PAIR_SCHEMA
from mht.storage import Storage, StorageParams, join

SHARDS = {"test-00000": 2, "train-00000": 5, "train-00001": 4, "validation-00000": 2}
Change = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]
TYPES = ("existence", "laterality")


def picture(number: int) -> tuple[str, bytes]:
    """(suffix, bytes) of a picture that no other number has; every third one is a PNG."""
    size = (40 + number, 32)
    image = Image.frombytes("L", size, random.Random(number).randbytes(size[0] * size[1]))
    kind = "png" if number % 3 == 0 else "jpeg"
    out = io.BytesIO()
    image.save(out, kind)
    return {"png": "png", "jpeg": "jpg"}[kind], out.getvalue()


def _row(schema: pa.Schema, **given: Any) -> dict[str, Any]:
    """A row of the schema, whatever columns it has: those not given are empty."""
    empty = {field.name: 0 if pa.types.is_integer(field.type) else None for field in schema}
    empty |= {field.name: "x" for field in schema if pa.types.is_string(field.type)}
    assert given.keys() <= empty.keys(), given.keys() - empty.keys()
    return empty | given


def image_row(image_id: str, number: int, split: str) -> dict[str, Any]:
    suffix, data = picture(number)
    return _row(
        IMAGE_SCHEMA,
        image_id=image_id,
        split=split,
        image={"bytes": data, "path": f"{image_id}.{suffix}"},
        caption=f"Fundus image {number}, naïve “quotes” and 漢字.",
        licence=None,
    )


def pair_rows(image_id: str, number: int, split: str) -> list[dict[str, Any]]:
    rows = []
    for twin, type_ in enumerate(TYPES):
        for state, letter in (("faithful", "f"), ("hallucinated", "h")):
            rows.append(
                _row(
                    PAIR_SCHEMA,
                    pair_id=f"{image_id}-{twin:010x}{letter}",
                    twin_id=f"{twin:016x}",
                    image_id=image_id,
                    split=split,
                    state=state,
                    type=type_,
                    form="yes_no",
                    question=f"Is there “finding {number}.{twin}” {letter}?",
                    answer=f"{'Yes' if letter == 'f' else 'No'}, answer {number}.{twin} ≥ 3 mm.",
                    rejected=f"{'No' if letter == 'f' else 'Yes'}, wrong {number}.{twin}.",
                    row_hash=f"{number:08x}{twin:08x}{ord(letter):02x}",
                )
            )
    return rows


def write_dataset(
    root: str, storage: Storage | None = None, change: Change = list, without: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Write it and return its pairs; `change` may alter a shard's pairs, `without` leaves columns of theirs out."""
    storage = storage or Storage(StorageParams())
    files: list[FileRecord] = []
    everything: list[dict[str, Any]] = []
    number = 0
    for shard, count in SHARDS.items():
        split = shard.rpartition("-")[0]
        images, pairs = [], []
        for _ in range(count):
            number += 1
            image_id = f"{number:016x}"
            images.append(image_row(image_id, number, split))
            pairs += pair_rows(image_id, number, split)
        pairs = change(pairs)
        everything += pairs
        for kind, rows, schema in (("images", images, IMAGE_SCHEMA), ("pairs", pairs, PAIR_SCHEMA)):
            table = pa.Table.from_pylist(rows, schema=schema)
            table = table.drop_columns([name for name in without if name in table.column_names])
            files.append(write_content(storage, root, f"{kind}/{shard}", parquet_bytes(table), len(rows)))
    books = {name: dict(Counter(pair[name] for pair in everything)) for name in ("state", "type", "form")}
    files.append(write_named(storage, root, "stats.json", dump_json({"books": books})))
    storage.write(join(root, MANIFEST), manifest_bytes("abcdef012345", files, {}))
    # What the manifest does not name is no part of the dataset: a shard of another run.
    stray = pa.Table.from_pylist(pair_rows("f" * 16, 99, "train"), schema=PAIR_SCHEMA)
    storage.write(join(root, "pairs/train-00002-0123456789abcdef.parquet"), parquet_bytes(stray))
    return everything
