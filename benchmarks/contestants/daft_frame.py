"""Written by hand on Daft, its UDFs in processes since they hold the interpreter's lock. It starts over when killed.

Runs in a virtual environment of its own (benchmarks/daft_venv.py). The first pass reads and counts the captions,
the second goes decode -> pairs -> write_parquet, the pairs of an image as a list in its row.
"""

from __future__ import annotations

import shutil
import time
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

_CAPTION_TYPE = pa.struct([("read", READ_TYPE), ("counts", pa.binary()), ("began", pa.float64())])
BATCH_IMAGES = 250


class Captions:
    """UDF: raw captions to readings, counts and the time of the beginning."""

    def read(self, raw: Any) -> Any:
        began = time.time()
        rows, counts = read_column(raw.to_pylist())
        told = [{"read": r, "counts": c, "began": began} for r, c in zip(rows, counts, strict=True)]
        return pa.array(told, _CAPTION_TYPE)


class Images:
    """UDF: paths to normalised images."""

    def decode(self, path: Any) -> Any:
        return pa.array(image_column(path.to_pylist()), IMAGE_TYPE)


class Pairs:
    """UDF: readings to pairs."""

    def __init__(self, table_path: str) -> None:
        self._table_path = table_path

    def make(self, ids: Any, splits: Any, rows: Any) -> Any:
        made = pairs_column(ids.to_pylist(), splits.to_pylist(), rows.to_pylist(), self._table_path)
        return pa.array(made, PAIRS_TYPE)


def _in_processes(kind: type, method: str, returns: pa.DataType, workers: int) -> Any:
    import daft  # type: ignore[import-not-found,unused-ignore]

    batch = daft.method.batch(return_dtype=daft.DataType.from_arrow_type(returns), batch_size=BATCH_IMAGES)
    setattr(kind, method, batch(getattr(kind, method)))
    return daft.cls(kind, max_concurrency=workers, use_process=True)


def main(told: Told) -> None:
    import daft  # type: ignore[import-not-found,unused-ignore]

    shutil.rmtree(told.output, ignore_errors=True)
    told.output.mkdir(parents=True)
    table_path = str(told.output / "premises.json")
    captions = _in_processes(Captions, "read", _CAPTION_TYPE, told.workers)()
    images = _in_processes(Images, "decode", IMAGE_TYPE, told.workers)()
    pairs = _in_processes(Pairs, "make", PAIRS_TYPE, told.workers)(table_path)

    inputs = daft.from_pydict(input_columns(list_inputs(told.folder))).into_batches(BATCH_IMAGES)
    read = (
        inputs.with_column("captioned", captions.read(inputs["raw_caption"])).exclude("raw_caption").collect()
    )
    counted = read.select(read["captioned"]["counts"], read["captioned"]["began"]).to_pydict()
    write_sum(counted["counts"], told.output / "premises.json")
    rows = read.with_column("read", read["captioned"]["read"]).exclude("captioned")
    rows = rows.with_column("image", images.decode(rows["path"])).exclude("path")
    rows = rows.with_column("pairs", pairs.make(rows["image_id"], rows["split"], rows["read"]))
    rows = rows.where(rows["image"].not_null() & (rows["pairs"].list_count() > 0))
    rows.write_parquet(str(told.output / "rows"))
    tell(min(counted["began"]), time.time())


if __name__ == "__main__":
    main(read_words())
