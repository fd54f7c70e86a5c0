"""Images that a table names or holds: Parquet, JSON Lines or CSV, one row an image.

A row names its image by address or relative path, or holds its bytes (Parquet: binary, or Hugging Face's struct of
`bytes` and `path`). Of held images the listing reads everything but the bytes; these are read by row group.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.errors import InputError
from mht.records import Fetched, Refusal, SourceItem
from mht.sources._captions import carried, read_captions
from mht.sources._parquet import HeldImages, parquet_rows
from mht.sources._reading import below, fetch_objects
from mht.sources._rows import need_columns, rows_of, text_in
from mht.storage import Listing, Storage, scheme_of, split_wildcard

_TABLES = (".parquet", ".jsonl", ".ndjson", ".csv", ".tsv")


class Params(BaseModel):
    """Which table, and what its columns are called; null for a column that it does not have.

    `path` is a file, a folder or a pattern with `*`. Relative image paths start at `root`, which is the table's
    folder unless it is given. `id` names the images; without it they are called by their path, or by table and row.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    root: str | None = Field(default=None, min_length=1)
    image: str = Field(default="image", min_length=1)
    caption: str | None = "caption"
    group: str | None = None
    licence: str | None = None
    modality: str | None = None
    id: str | None = None


class Source:
    """Lists the rows of tables, then reads the images that they name or hold."""

    def __init__(self, params: Params, storage: Storage) -> None:
        self._params = params
        self._storage = storage
        self._held = HeldImages(storage, params.image)

    def __reduce__(self) -> tuple[type[Source], tuple[Params, Storage]]:
        return Source, (self._params, self._storage)

    def check(self) -> None:
        """Raises a storage error when the table or its root cannot be read."""
        self._storage.check_readable(split_wildcard(self._params.path)[0])
        if self._params.root is not None:
            self._storage.check_readable(self._params.root)

    def items(self) -> Iterator[SourceItem]:
        """One item a row, in the order of the tables and their rows. Raises InputError naming file, row, column."""
        found = list(self._storage.glob(self._params.path))
        tables = [listing for listing in found if listing.name.lower().endswith(_TABLES)]
        if not tables:
            raise InputError(f"{self._params.path!r}: no {', '.join(_TABLES)} among {len(found):,} files.")
        first_row: dict[str, str] = {}
        for table in tables:
            for where, item in self._rows(table):
                if item.name in first_row:
                    raise InputError(
                        f"{where}: {item.name!r} is also named by {first_row[item.name]}. An image is one row; "
                        "set source.id to a column that tells them apart."
                    )
                first_row[item.name] = where
                yield item
        if not first_row:
            raise InputError(f"{self._params.path!r}: the table has no rows.")

    def fetch(self, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
        """The bytes of each image: an object of its own, or a value of a row group."""
        out = [Fetched(None)] * len(items)
        apart = [index for index, item in enumerate(items) if item.row is None]
        held = [index for index, item in enumerate(items) if item.row is not None]
        for index, fetched in zip(
            apart, fetch_objects(self._storage, [items[i] for i in apart], max_bytes), strict=True
        ):
            out[index] = fetched
        for index, fetched in zip(held, self._held.fetch([items[i] for i in held], max_bytes), strict=True):
            out[index] = fetched
        return out

    def captions(self, items: Sequence[SourceItem]) -> list[str | Refusal | None]:
        """The captions that the table holds."""
        return read_captions(self._storage, items, ())

    def _rows(self, table: Listing) -> Iterator[tuple[str, SourceItem]]:
        p = self._params
        columns = [p.caption, p.group, p.licence, p.modality, p.id]
        if table.name.lower().endswith(".parquet"):
            yield from (
                (where, self._item(table, row, where, number))
                for where, number, row in parquet_rows(self._storage, table, self._params.image, columns)
            )
            return
        free = table.name.lower().endswith(("jsonl", "ndjson"))  # a JSON row may leave a column out
        for number, row in rows_of(self._storage, table.uri):
            where = f"{table.uri!r}, line {number}"
            need_columns(row, [self._params.image] if free else [self._params.image, *columns], where)
            yield where, self._item(table, row, where, None)

    def _item(self, table: Listing, row: dict[str, Any], where: str, number: int | None) -> SourceItem:
        """`number` is the row of a held image; a row with a path instead of bytes has None."""
        name, uri, version = self._image(table, row, where)
        held = uri is None
        caption, caption_uri = carried(text_in(row, self._params.caption, where))
        return SourceItem(
            name=text_in(row, self._params.id, where) or name,
            uri=table.uri if uri is None else uri,
            row=number if held else None,
            version=table.version if held else version,
            group=text_in(row, self._params.group, where),
            licence=text_in(row, self._params.licence, where),
            modality=text_in(row, self._params.modality, where),
            caption=caption,
            caption_uri=caption_uri,
        )

    def _image(self, table: Listing, row: dict[str, Any], where: str) -> tuple[str, str | None, str | None]:
        """Name, address (None: held in the table) and version of the row's image."""
        value = row[self._params.image]
        if isinstance(value, HeldImages.Mark):
            return f"{table.name}/{value.row}", None, None
        if isinstance(value, dict):
            value = value.get("path")
        if not isinstance(value, str) or not value:
            raise InputError(f"{where}, column {self._params.image!r}: an address or a path is needed.")
        return self._resolve(table, value, where)

    def _resolve(self, table: Listing, reference: str, where: str) -> tuple[str, str, str | None]:
        scheme = scheme_of(reference)
        if scheme in ("http", "https"):
            raise InputError(
                f"{where}, column {self._params.image!r}: images are not fetched over {scheme}. Copy them to a "
                "folder or a bucket first."
            )
        absolute = reference.startswith("/") or "://" in reference
        if not absolute:
            root = self._params.root or table.uri[: -len(table.uri.rpartition("/")[2]) - 1]
            return below(self._storage.absolute(root), "", reference)
        if scheme == "file" and scheme_of(table.uri) != "file":
            raise InputError(
                f"{where}, column {self._params.image!r}: a table in a bucket names a local file."
            )
        return reference, reference, None
