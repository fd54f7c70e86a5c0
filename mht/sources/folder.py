"""Images in a folder or below a prefix, with captions beside them.

Every file is an item unless it is hidden or a side file (text, tables, licences): which of them are images is
decided by their content later, so that a damaged or misnamed one is counted and not lost.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mht.errors import InputError
from mht.records import Fetched, Refusal, SourceItem
from mht.sources._captions import carried, read_captions, text_of
from mht.sources._reading import below, fetch_objects
from mht.sources._rows import rows_of, text_in
from mht.storage import Listing, Storage

_SIDE_SUFFIXES = (
    *(".txt", ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".xml", ".md", ".rst", ".yaml", ".yml"),
    *(".toml", ".log", ".md5", ".sha256", ".parquet"),
)
_SIDE_NAMES = frozenset({"license", "licence", "copying", "readme", "citation", "notice", "thumbs.db"})
_METADATA = ("metadata.jsonl", "metadata.csv")


class Params(BaseModel):
    """Where the images are, what keeps them together across splits, and where their captions stand.

    `group_by` is `image` (each alone), `folder`, or a regular expression with `(?P<group>...)` searched in the
    name. `captions` is `sidecar` (`x.txt` or `x.json` beside `x.png`), `metadata` (`metadata.jsonl` or
    `metadata.csv` in any folder, `file_name` relative to it, as Hugging Face's ImageFolder has it), `auto` (both,
    metadata first) or `none`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    group_by: str = "image"
    captions: Literal["auto", "sidecar", "metadata", "none"] = "auto"
    caption_keys: tuple[str, ...] = Field(default=("caption", "text", "findings", "report"), min_length=1)
    file_key: str = Field(default="file_name", min_length=1)
    group_key: str = Field(default="group", min_length=1)
    licence_key: str = Field(default="licence", min_length=1)
    modality_key: str = Field(default="modality", min_length=1)

    @field_validator("group_by")
    @classmethod
    def _known_grouping(cls, value: str) -> str:
        if value in ("image", "folder"):
            return value
        try:
            groups = re.compile(value).groupindex
        except re.error as error:
            raise ValueError(f"not a regular expression ({error}); or write image or folder") from error
        if "group" not in groups:
            raise ValueError("write image, folder, or a regular expression with (?P<group>...)")
        return value


class Source:
    """Lists a folder, then reads its images and captions."""

    def __init__(self, params: Params, storage: Storage) -> None:
        self._params = params
        self._storage = storage

    def check(self) -> None:
        """Raises a storage error when the folder cannot be read."""
        self._storage.check_readable(self._params.path)

    def items(self) -> Iterator[SourceItem]:
        """Every image candidate in the order of names, then files that only the metadata names."""
        listed = {found.name: found for found in self._storage.list(self._params.path)}
        if not listed:
            raise InputError(f"{self._params.path!r}: nothing is there. Check source.path.")
        described = self._metadata(listed)
        count = 0
        for name, found in listed.items():
            if _is_side_file(name):
                continue
            count += 1
            yield self._item(found, described.pop(name, None), listed)
        yield from described.values()
        if count == 0:
            raise InputError(
                f"{self._params.path!r}: {len(listed):,} files, none of them an image candidate."
            )

    def fetch(self, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
        """The bytes of each image."""
        return fetch_objects(self._storage, items, max_bytes)

    def captions(self, items: Sequence[SourceItem]) -> list[str | Refusal | None]:
        """The caption of each image."""
        return read_captions(self._storage, items, self._params.caption_keys)

    def _item(self, found: Listing, row: SourceItem | None, listed: dict[str, Listing]) -> SourceItem:
        """What the listing says of a file, with what the metadata says of it."""
        caption, caption_uri = (None, None) if row is None else (row.caption, row.caption_uri)
        sidecar = None
        if caption is None and caption_uri is None and self._params.captions in ("auto", "sidecar"):
            sidecar = _sidecar_of(found.name, listed)
            caption_uri = listed[sidecar].uri if sidecar else None
        return SourceItem(
            name=found.name,
            uri=found.uri,
            size_bytes=found.size_bytes,
            version=found.version,
            group=self._group_of(found.name) if row is None or row.group is None else row.group,
            licence=None if row is None else row.licence,
            modality=None if row is None else row.modality,
            caption=caption,
            caption_uri=caption_uri,
            caption_version=listed[sidecar].version if sidecar else None,
        )

    def _group_of(self, name: str) -> str | None:
        if self._params.group_by == "image":
            return None
        if self._params.group_by == "folder":
            return posixpath.dirname(name) or "."
        match = re.search(self._params.group_by, name)
        return match.group("group") if match else None

    def _metadata(self, listed: dict[str, Listing]) -> dict[str, SourceItem]:
        """What the metadata files say, by name; a file described twice is an error."""
        if self._params.captions in ("sidecar", "none"):
            return {}
        out: dict[str, SourceItem] = {}
        for name, found in listed.items():
            if posixpath.basename(name) not in _METADATA or _is_hidden(name):
                continue
            root = found.uri[: -len(name) - 1]
            for line, row in rows_of(self._storage, found.uri):
                where = f"{found.uri!r}, line {line}"
                item = self._described(root, name[: -len(posixpath.basename(name))], row, where)
                if item.name in out:
                    raise InputError(f"{where}: {item.name!r} was described before. Keep one row a file.")
                out[item.name] = item
        return out

    def _described(self, root: str, folder: str, row: dict[str, Any], where: str) -> SourceItem:
        reference = text_in(row, self._params.file_key, where)
        if reference is None:
            raise InputError(f"{where}: no {self._params.file_key!r}. Name the file that the row describes.")
        name, uri, version = below(root, folder, reference)
        caption, caption_uri = carried(text_of(row, self._params.caption_keys))
        return SourceItem(
            name=name,
            uri=uri,
            version=version,
            group=text_in(row, self._params.group_key, where),
            licence=text_in(row, self._params.licence_key, where),
            modality=text_in(row, self._params.modality_key, where),
            caption=caption,
            caption_uri=caption_uri,
        )


def _is_hidden(name: str) -> bool:
    return any(part[:1] == "." and part not in (".", "..") for part in name.split("/")) or "__MACOSX/" in name


def _is_side_file(name: str) -> bool:
    last = posixpath.basename(name).lower()
    return _is_hidden(name) or last.endswith(_SIDE_SUFFIXES) or last in _SIDE_NAMES


def _sidecar_of(name: str, listed: dict[str, Listing]) -> str | None:
    """`x.txt`, `x.png.txt`, `x.json` or `x.png.json` of `x.png`, the first that is there."""
    for suffix in (".txt", ".json"):
        for stem in (posixpath.splitext(name)[0], name):
            found = listed.get(stem + suffix)
            if found is not None:
                return stem + suffix
    return None
