"""Rows of Parquet files: all of them row group by row group, or some by row group and row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from mht.errors import InputError
from mht.training.sources._json import Place, Row

_BATCH_ROWS = 64


def scan_parquet(
    file: BinaryIO, uri: str, columns: Sequence[str], needed: Sequence[str]
) -> Iterator[tuple[Place, Row]]:
    """Each row, with those of the columns that there are. Raises InputError where one that is needed is not."""
    table = _opened(file, uri)
    names = table.schema_arrow.names
    for column in needed:
        if column not in names:
            raise InputError(
                f"{uri!r}: no column {column!r}. There are: {', '.join(names)}. Name the right one in the source's "
                "settings, or set it to null."
            )
    wanted = [name for name in columns if name in names]
    for group in range(table.num_row_groups):
        batches = table.iter_batches(_BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False)
        yield from ((Place(at, group), row) for at, row in enumerate(_rows(batches, uri)))


def fetch_parquet(file: BinaryIO, uri: str, places: Sequence[Place], columns: Sequence[str]) -> list[Row]:
    """The rows of these places, in order; each row group is read once."""
    table = _opened(file, uri)
    wanted = [name for name in columns if name in table.schema_arrow.names]
    found: dict[Place, Row] = {}
    for group in sorted({place.extent for place in places}):
        rows = sorted({place.at for place in places if place.extent == group})
        taken = table.read_row_group(group, columns=wanted, use_threads=False).take(rows).to_pylist()
        found |= {Place(at, group): row for at, row in zip(rows, taken, strict=True)}
    return [found[place] for place in places]


def _opened(file: BinaryIO, uri: str) -> Any:
    try:
        return pq.ParquetFile(file, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{uri!r}: not a whole Parquet file ({error}). Write or copy it again.") from error


def _rows(batches: Iterator[Any], uri: str) -> Iterator[Row]:
    try:
        for batch in batches:
            yield from batch.to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{uri!r}: damaged ({error}). Write or copy it again.") from error
