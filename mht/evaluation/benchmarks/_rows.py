"""Rows of a release's files: JSON as a list or by lines, CSV, Parquet; each with its number, or why it is none."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, BinaryIO

from mht.errors import InputError
from mht.evaluation.benchmarks._refused import Unfit
from mht.storage import Storage

Row = dict[str, Any]
_BATCH_ROWS = 64
_FIELD_BYTES = 1 << 24
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A row as its file has it, or why it is none; `member` is row group and row where the file is Parquet."""

    number: int
    row: Row | Unfit
    member: str | None = None


def read_rows(storage: Storage, uri: str, columns: Sequence[str] | None = None) -> Iterator[RawRow]:
    """Each row of a file, numbered from 1; `columns` of Parquet only, as far as they are there.

    Raises InputError for a file that is not whole, or not UTF-8.
    """
    name = uri.lower()
    if name.endswith(".parquet"):
        with storage.open_input(uri) as file:
            yield from _parquet_rows(file, uri, columns)
    elif name.endswith((".csv", ".tsv")):
        yield from _csv_rows(text_of_file(storage, uri), uri, "\t" if name.endswith(".tsv") else ",")
    else:
        yield from _json_rows(text_of_file(storage, uri), uri)


def with_columns(uri: str, raw: RawRow, columns: Sequence[str], remedy: str) -> Row:
    """The row, which has these columns; `remedy` names them in a configuration. Raises InputError where it has not."""
    where = f"{uri!r}, row {raw.number:,}"
    if isinstance(raw.row, Unfit):
        raise InputError(f"{where}: {raw.row.reason} {raw.row.detail}. Write the file again.")
    for column in columns:
        if column not in raw.row:
            raise InputError(
                f"{where}: no column {column!r}; there are {', '.join(map(repr, raw.row))}. Name the columns: {remedy}"
            )
    return raw.row


def document(storage: Storage, uri: str) -> Any:
    """A JSON file as one value."""
    try:
        return json.loads(text_of_file(storage, uri))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{uri!r}: not whole JSON ({error}). Write or copy it again.") from None


def text_of_file(storage: Storage, uri: str) -> str:
    try:
        return storage.read(uri).removeprefix(_BOM).decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{uri!r}: not UTF-8 ({error.reason} at byte {error.start:,}).") from None


def _json_rows(text: str, uri: str) -> Iterator[RawRow]:
    if text.lstrip().startswith("["):
        try:
            rows = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{uri!r}: not a whole JSON list ({error}). Write or copy it again.") from None
        yield from (RawRow(number, _object(row)) for number, row in enumerate(rows, start=1))
        return
    # Not splitlines: a JSON text may hold U+2028.
    lines = (line for line in text.split("\n") if line.strip())
    yield from (RawRow(number, _parsed(line)) for number, line in enumerate(lines, start=1))


def _parsed(line: str) -> Row | Unfit:
    try:
        return _object(json.loads(line))
    except (ValueError, RecursionError) as error:
        return Unfit("not_json", str(error)[:100])


def _object(value: Any) -> Row | Unfit:
    return value if isinstance(value, dict) else Unfit("not_an_object", type(value).__name__)


def _csv_rows(text: str, uri: str, delimiter: str) -> Iterator[RawRow]:
    """A field may hold line ends, in quotes."""
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    before = csv.field_size_limit(_FIELD_BYTES)
    try:
        for number, row in enumerate(reader, start=1):
            fits = None not in row and None not in row.values()
            yield RawRow(number, row if fits else Unfit("wrong_number_of_fields"))
    except csv.Error as error:
        raise InputError(f"{uri!r}, line {reader.line_num}: {error}. Write or copy it again.") from None
    finally:
        csv.field_size_limit(before)


def _parquet_rows(file: BinaryIO, uri: str, columns: Sequence[str] | None) -> Iterator[RawRow]:
    import pyarrow as pa

    table = opened(file, uri)
    names = table.schema_arrow.names
    wanted = None if columns is None else [name for name in columns if name in names]
    number = count(1)
    try:
        for group in range(table.num_row_groups):
            batches = table.iter_batches(_BATCH_ROWS, row_groups=[group], columns=wanted, use_threads=False)
            rows = (row for batch in batches for row in batch.to_pylist())
            yield from (RawRow(next(number), row, f"{group}:{at}") for at, row in enumerate(rows))
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{uri!r}: damaged ({error}). Write or copy it again.") from error


def opened(file: BinaryIO, uri: str) -> Any:
    """The file as a pyarrow ParquetFile."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(file, pre_buffer=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{uri!r}: not a whole Parquet file ({error}). Write or copy it again.") from error
