"""Parquet tables: their rows without the image bytes, and the image bytes by row group."""

from __future__ import annotations

import weakref
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mht.errors import InputError
from mht.records import Fetched, Reason, Refusal, SourceItem
from mht.sources._rows import need_columns
from mht.storage import Listing, Storage

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

_BUFFER_BYTES = 1 << 20
_OPEN_TABLES = 4
_BATCH_ROWS = 10_000


@dataclass(frozen=True, slots=True)
class _Mark:
    """Stands in a listed row for image bytes that are held in the table."""

    row: int


def parquet_rows(
    storage: Storage, table: Listing, image: str, columns: Sequence[str | None]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """(where, row, values) of each row; held image bytes are a mark. Raises InputError naming table and column."""
    import pyarrow.parquet as pq

    with storage.open_input(table.uri, whole_bytes=0, buffer_bytes=_BUFFER_BYTES) as source:
        file = _opened(pq, source, table.uri)
        schema = file.schema_arrow
        wanted = [column for column in columns if column is not None]
        need_columns(schema.names, [image, *wanted], repr(table.uri))
        kind = _kind_of(schema.field(image).type, table.uri, image)
        number = 0
        for group in range(file.num_row_groups):
            names = list(dict.fromkeys(wanted + ([image] if kind == "text" else [])))
            held = _held_rows(file, group, image, kind)
            for index, row in enumerate(_group_rows(file, group, names, image, kind)):
                if kind != "text" and held[index]:
                    row[image] = _Mark(number)
                yield f"{table.uri!r}, row {number}", number, row
                number += 1


class HeldImages:
    """Reads image bytes out of tables, keeping a few open and the last row group at hand."""

    Mark = _Mark

    def __init__(self, storage: Storage, image: str) -> None:
        self._storage = storage
        self._image = image
        self._open: OrderedDict[tuple[str, str | None], _Table | Refusal] = OrderedDict()

    def fetch(self, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
        """The bytes of each item's row, in order."""
        order = sorted(range(len(items)), key=lambda i: (items[i].uri, items[i].row or 0))
        out = [Fetched(None)] * len(items)
        for index in order:
            out[index] = self._fetch(items[index], max_bytes)
        return out

    def _fetch(self, item: SourceItem, max_bytes: int) -> Fetched:
        table = self._table(item)
        if isinstance(table, Refusal):
            return Fetched(None, table)
        data = table.value(item.row or 0)
        if data is None:
            return Fetched(
                None, Refusal(Reason.MISSING_OBJECT, f"row {item.row} of {item.uri!r} holds no bytes")
            )
        if isinstance(data, bytes) and len(data) > max_bytes:
            detail = f"{len(data):,} bytes are over the limit of {max_bytes:,}; raise imaging.max_bytes"
            return Fetched(None, Refusal(Reason.TOO_MANY_BYTES, detail))
        return Fetched(data) if isinstance(data, bytes) else Fetched(None, data)

    def _table(self, item: SourceItem) -> _Table | Refusal:
        key = (item.uri, item.version)
        if key not in self._open:
            self._open[key] = self._connect(item)
            while len(self._open) > _OPEN_TABLES:
                self._open.popitem(last=False)
        self._open.move_to_end(key)
        return self._open[key]

    def _connect(self, item: SourceItem) -> _Table | Refusal:
        import pyarrow.parquet as pq

        stat = self._storage.stat(item.uri)
        if stat is None:
            return Refusal(Reason.MISSING_OBJECT, f"the table {item.uri!r} is gone; put it back")
        if None not in (item.version, stat.version) and item.version != stat.version:
            return Refusal(Reason.REPLACED_SINCE_PLAN, f"the table {item.uri!r} was replaced; make a new run")
        source = self._storage.open_input(item.uri, whole_bytes=0, buffer_bytes=_BUFFER_BYTES)
        table = _Table(_opened(pq, source, item.uri), self._image)
        weakref.finalize(table, source.close)
        return table


class _Table:
    """An open table and the image column of the row group last asked for."""

    def __init__(self, file: pq.ParquetFile, image: str) -> None:
        self._file = file
        self._image = image
        self._group = -1
        self._column: pa.ChunkedArray | None = None
        self._starts = [0]
        for group in range(file.num_row_groups):
            self._starts.append(self._starts[-1] + file.metadata.row_group(group).num_rows)

    def value(self, row: int) -> bytes | Refusal | None:
        """The bytes of a row, None where it holds none, a refusal where the row group is damaged."""
        import bisect

        import pyarrow as pa

        group = bisect.bisect_right(self._starts, row) - 1
        if not 0 <= row < self._starts[-1]:
            return None
        if group != self._group or self._column is None:
            try:
                self._column = self._file.read_row_group(group, columns=[self._image]).column(0)
            except (pa.ArrowException, OSError) as error:
                return Refusal(Reason.UNREADABLE_OBJECT, f"row group {group}: {error}")
            self._group = group
        value = self._column[row - self._starts[group]].as_py()
        if isinstance(value, dict):
            value = value.get("bytes")
        return value if isinstance(value, bytes) else None


def _opened(pq: Any, source: Any, uri: str) -> Any:
    import pyarrow as pa

    try:
        return pq.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{uri!r}: not a whole Parquet file ({error}). Write or copy it again.") from error


def _kind_of(kind: pa.DataType, uri: str, image: str) -> str:
    """`text` for addresses, `bytes` for binary values, `struct` for Hugging Face's images."""
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return "bytes"
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        return "struct"
    raise InputError(
        f"{uri!r}, column {image!r}: an address, bytes or {{bytes, path}} is needed, found {kind}."
    )


def _group_rows(file: Any, group: int, names: list[str], image: str, kind: str) -> Iterator[dict[str, Any]]:
    """The rows of one row group without held bytes; a struct's path stands in the image's place."""
    struct = file.schema_arrow.field(image).type if kind == "struct" else None
    path = struct is not None and struct.get_field_index("path") >= 0
    columns = [*names, f"{image}.path"] if path else names
    rows = file.metadata.row_group(group).num_rows
    if not columns:
        yield from ({image: None} for _ in range(rows))
        return
    for batch in file.iter_batches(_BATCH_ROWS, row_groups=[group], columns=columns):
        for row in batch.to_pylist():
            row.setdefault(image, None)
            yield row


def _held_rows(file: Any, group: int, image: str, kind: str) -> Sequence[bool]:
    """Which rows hold bytes: from the row group's null count, and by reading the column only where it is mixed."""
    if kind == "text":
        return ()
    meta = file.metadata.row_group(group)
    path = image if kind == "bytes" else f"{image}.bytes"
    for index in range(meta.num_columns):
        column = meta.column(index)
        if (
            column.path_in_schema == path
            and column.statistics is not None
            and column.statistics.has_null_count
        ):
            if column.statistics.null_count == 0:
                return [True] * meta.num_rows
            if column.statistics.null_count == meta.num_rows:
                return [False] * meta.num_rows
    values = file.read_row_group(group, columns=[path]).column(0).to_pylist()
    return [(value.get("bytes") if isinstance(value, dict) else value) is not None for value in values]
