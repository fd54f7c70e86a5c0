"""Where a release's images lie, and their bytes: files of folders, or rows of Parquet files."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from mht.errors import InputError, StorageMissing
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import opened
from mht.questions import ImageAt, Picture
from mht.records import Reason, Refusal
from mht.storage import OUTSIDE_ROOT, Listing, ReadRequest, Storage, join

_MAX_BYTES = 64 << 20


class Images:
    """The files of some folders by name; the first folder that has one is taken."""

    def __init__(self, storage: Storage, folders: Sequence[str]) -> None:
        self._folders = folders
        self._files: dict[str, Listing] = {}
        for folder in reversed(folders):
            self._files |= {listing.name: listing for listing in _listed(storage, folder)}

    def check(self, path: str) -> None:
        """Raises InputError where there is no file at all."""
        if not self._files:
            looked = ", ".join(repr(folder) for folder in self._folders)
            raise InputError(
                f"{path!r}: no images. Looked in {looked}. Unpack the release's archive of images there, set images= "
                "to where they lie, or text_only=true to ask without them."
            )

    def find(self, name: str) -> ImageAt:
        """Raises Unfit for one that is not there, or cannot be read whole."""
        found = self._files.get(posixpath.normpath(name))
        if found is None:
            raise Unfit("image_missing", repr(name)[:200])
        if found.version == OUTSIDE_ROOT:
            raise Unfit("image_outside_its_folder", repr(name)[:200])
        if found.size_bytes is not None and not 0 < found.size_bytes <= _MAX_BYTES:
            raise Unfit("image_empty" if not found.size_bytes else "image_too_large", repr(name)[:200])
        return ImageAt(found.uri, version=found.version, size_bytes=found.size_bytes)

    def size_bytes(self, image: ImageAt | None) -> int | None:
        """Of its file; None for an image in a table, or one that these folders do not have."""
        return None if image is None or image.member is not None else self._sizes.get(image.holder)

    @cached_property
    def _sizes(self) -> dict[str, int | None]:
        return {listing.uri: listing.size_bytes for listing in self._files.values()}


def _listed(storage: Storage, folder: str) -> list[Listing]:
    try:
        return list(storage.list(folder))
    except StorageMissing:
        return []


def held(value: Any) -> bytes | str | None:
    """The bytes or the name that a column holds: text, binary, or a struct of `bytes` and `path`. Raises Unfit."""
    if isinstance(value, dict):
        value = value["bytes"] if value.get("bytes") is not None else value.get("path")
    if value is None or value == "" or value == b"":
        return None
    if isinstance(value, bytes | str):
        return value
    raise Unfit("not_an_image", f"of type {type(value).__name__}")


def image_name(data: bytes) -> str:
    """What an image without a name is called: 32 hex digits of its bytes' sha256."""
    return hashlib.sha256(data).hexdigest()[:32]


def read_images(storage: Storage, places: Sequence[ImageAt | None], column: str = "image") -> list[Picture]:
    """The bytes of each, or why there are none; None stays None. Rows of one file are read together."""
    found: dict[ImageAt, Picture] = {}
    apart = [at for at in dict.fromkeys(places) if at is not None and at.member is None]
    requests = [
        ReadRequest(at.holder, max_bytes=_MAX_BYTES, size_bytes=at.size_bytes, version=at.version)
        for at in apart
    ]
    found |= zip(apart, storage.read_many(requests), strict=True)
    tables: dict[str, list[ImageAt]] = {}
    for at in dict.fromkeys(places):
        if at is not None and at.member is not None:
            tables.setdefault(at.holder, []).append(at)
    for uri, members in tables.items():
        found |= zip(members, _of_table(storage, uri, members, column), strict=True)
    return [None if at is None else found[at] for at in places]


def _of_table(storage: Storage, uri: str, places: Sequence[ImageAt], column: str) -> list[Picture]:
    stat = storage.stat(uri)
    if stat is None:
        return [Refusal(Reason.MISSING_OBJECT, f"{uri!r} is gone; put it back")] * len(places)
    if None not in (stat.version, places[0].version) and stat.version != places[0].version:
        refusal = Refusal(Reason.REPLACED_SINCE_PLAN, f"{uri!r} was replaced; make a new run")
        return [refusal] * len(places)
    marks = [_group_and_row(at) for at in places]
    pictures: dict[tuple[int, int], Picture] = {}
    with storage.open_input(uri, whole_bytes=0, buffer_bytes=1 << 20) as file:
        table = opened(file, uri)
        for group in {group for group, _ in marks}:
            values = table.read_row_group(group, columns=[column], use_threads=False).column(0)
            for row in (row for of, row in marks if of == group):
                pictures[group, row] = _picture(held(values[row].as_py()), f"{uri!r}, row {group}:{row}")
    return [pictures[mark] for mark in marks]


def _picture(value: bytes | str | None, where: str) -> Picture:
    if isinstance(value, bytes):
        return value
    return Refusal(Reason.MISSING_OBJECT, f"{where}: holds no image")


def _group_and_row(at: ImageAt) -> tuple[int, int]:
    group, _, row = str(at.member).partition(":")
    return int(group), int(row)


def join_folder(base: str, folder: str) -> str:
    """A folder beside another; `.` is the other itself, `../x` one that lies beside it."""
    while folder.startswith("../"):
        base, folder = base.rpartition("/")[0] or ".", folder[3:]
    return base if folder == "." else join(base, folder)
