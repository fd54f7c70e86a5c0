"""Written by hand on Ray Data, with Ray's own defaults but for the number of CPUs. It starts over when it was killed.

Captions are read and counted in a first pass, whose result stays in Ray's object store; then decode -> pairs ->
write_parquet, the pairs of an image as a list in its row, so that nothing is decoded twice.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import pyarrow as pa

from benchmarks.contestants.steps import (
    IMAGE_TYPE,
    PAIRS_TYPE,
    READ_TYPE,
    image_column,
    input_columns,
    list_inputs,
    pairs_column,
    read_column,
    write_sum,
)
from benchmarks.contestants.words import Told, read_words, tell


def read_batch(batch: pa.Table) -> pa.Table:
    began = time.time()
    rows, counts = read_column(batch["raw_caption"].to_pylist())
    batch = batch.drop_columns(["raw_caption"]).append_column("read", pa.array(rows, READ_TYPE))
    batch = batch.append_column("counts", pa.array(counts, pa.binary()))
    return batch.append_column("began", pa.array([began] * len(rows)))


def decode_batch(batch: pa.Table) -> pa.Table:
    images = pa.array(image_column(batch["path"].to_pylist()), IMAGE_TYPE)
    return batch.drop_columns(["path"]).append_column("image", images)


def pair_batch(batch: pa.Table, table_path: str) -> pa.Table:
    names = ("image_id", "split", "read", "image")
    ids, splits, rows, images = (batch[name].to_pylist() for name in names)
    pairs = pairs_column(ids, splits, rows, table_path)
    keep = pa.array([bool(made and image) for made, image in zip(pairs, images, strict=True)])
    return batch.append_column("pairs", pa.array(pairs, PAIRS_TYPE)).filter(keep)


def main(told: Told) -> None:
    import ray
    import ray.data
    from ray.data import SaveMode

    ray.init(address="local", num_cpus=told.workers)
    told.output.mkdir(parents=True, exist_ok=True)
    columns = input_columns(list_inputs(told.folder))
    items: list[dict[str, Any]] = [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    captions = ray.data.from_items(items).map_batches(read_batch, batch_format="pyarrow").materialize()
    counted = captions.select_columns(["counts", "began"]).take_all()
    table_path = told.output / "premises.json"
    write_sum((row["counts"] for row in counted), table_path)
    rows = captions.drop_columns(["counts", "began"]).map_batches(decode_batch, batch_format="pyarrow")
    rows = rows.map_batches(partial(pair_batch, table_path=str(table_path)), batch_format="pyarrow")
    rows.write_parquet(str(told.output / "rows"), mode=SaveMode.OVERWRITE)
    tell(min(row["began"] for row in counted), time.time())


if __name__ == "__main__":
    main(read_words())
