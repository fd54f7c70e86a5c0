"""The image of a row: held in it or named by it; where it lies, and whether it is a JPEG or PNG file at all."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any

from mht.errors import IntegrityError
from mht.records import Refusal
from mht.storage import ReadRequest, Storage, join, scheme_of
from mht.training.sources._unfit import Unfit

_MAX_BYTES = 64 << 20
_MAGIC_BYTES = 3
_MAGIC = (b"\xff\xd8\xff", b"\x89PN")
_ALWAYS_STORES = frozenset({"s3", "s3a", "gs", "gcs"})
# So many images of one folder are looked for in its listing, fewer one by one.
_FEW = 32
_AT_ONCE = 2_000


def image_of(value: Any) -> str | bytes | None:
    """The bytes or the reference that a column holds, None for no image. Raises Unfit for several, or neither."""
    if isinstance(value, list | tuple):
        if len(value) > 1:
            raise Unfit("several_images", f"{len(value)} are named")
        value = value[0] if value else None
    if isinstance(value, dict):
        value = value.get("path") if value.get("bytes") is None else value["bytes"]
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        _check_start(value[:_MAGIC_BYTES], len(value))
        return value
    if isinstance(value, str):
        return value
    raise Unfit("not_an_image", f"of type {type(value).__name__}")


def address_of(reference: str, root: str) -> tuple[str, str]:
    """(name, address) of an image that a row names, below `root` unless it is absolute. Raises Unfit."""
    try:
        reference.encode("utf-8")
    except UnicodeEncodeError:
        raise Unfit("not_unicode", "the image's name") from None
    scheme = scheme_of(reference)
    if scheme == "file" and not reference.startswith(("/", "file:")):
        name = posixpath.normpath(reference)
        if name == ".." or name.startswith("../"):
            raise Unfit("image_outside_root", repr(reference))
        return name, join(root, name)
    if scheme not in _ALWAYS_STORES | {scheme_of(root)}:
        where = "a local file of another machine" if scheme == "file" else f"over {scheme}"
        raise Unfit("image_out_of_reach", f"{reference!r} is {where}")
    if "://" in reference and "@" in reference.split("://", 1)[1].partition("/")[0]:
        raise Unfit("image_out_of_reach", "its address carries credentials")
    absolute = posixpath.normpath(reference) if "://" not in reference else reference
    return absolute, absolute


def unusable(storage: Storage, uris: Sequence[str]) -> dict[str, Unfit]:
    """Those that are not there, or no JPEG or PNG by their first bytes, each with its reason."""
    sizes = _sizes(storage, uris)
    found: dict[str, Unfit] = {}
    sound = []
    for uri in uris:
        size = sizes[uri]
        if size is None:
            found[uri] = Unfit("image_missing", repr(uri))
        elif size > _MAX_BYTES:
            found[uri] = Unfit("image_too_large", f"{uri!r} has {size:,} bytes")
        elif size < _MAGIC_BYTES:
            found[uri] = Unfit("image_not_jpeg_or_png", f"{uri!r} has {size} bytes")
        else:
            sound.append(uri)
    for uri, start in zip(sound, _starts(storage, sound), strict=True):
        try:
            _check_start(start, _MAGIC_BYTES)
        except Unfit:
            found[uri] = Unfit("image_not_jpeg_or_png", repr(uri))
    return found


def read_images(storage: Storage, uris: Sequence[str]) -> dict[str, bytes]:
    """The files. Raises IntegrityError for one that was there when the rows were listed."""
    bodies = storage.read_many([ReadRequest(uri, max_bytes=_MAX_BYTES) for uri in uris])
    found: dict[str, bytes] = {}
    for uri, body in zip(uris, bodies, strict=True):
        if isinstance(body, Refusal):
            raise IntegrityError(
                f"{uri!r} at training: {body.detail}. It was there when the data was listed."
            )
        found[uri] = body
    return found


def _check_start(start: bytes, size_bytes: int) -> None:
    if start not in _MAGIC:
        raise Unfit("image_not_jpeg_or_png", f"{size_bytes:,} bytes that begin with {start!r}")


def _sizes(storage: Storage, uris: Sequence[str]) -> dict[str, int | None]:
    folders: dict[str, list[str]] = {}
    for uri in uris:
        folders.setdefault(uri.rpartition("/")[0], []).append(uri)
    sizes: dict[str, int | None] = {}
    for folder, members in folders.items():
        if len(members) > _FEW and scheme_of(folder) != "file":
            listed = {listing.uri: listing.size_bytes for listing in storage.list(f"{folder}/")}
            sizes |= {uri: listed.get(uri) for uri in members}
        else:
            sizes |= {uri: storage.size(uri) for uri in members}
    return sizes


def _starts(storage: Storage, uris: Sequence[str]) -> Iterator[bytes]:
    for at in range(0, len(uris), _AT_ONCE):
        requests = [ReadRequest(uri, offset=0, length=_MAGIC_BYTES) for uri in uris[at : at + _AT_ONCE]]
        for body in storage.read_many(requests):
            yield b"" if isinstance(body, Refusal) else body
