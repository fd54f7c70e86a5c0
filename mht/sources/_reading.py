"""What every source does alike: fetch objects or ranges of them, and keep a reference inside its root."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence

from mht.records import Fetched, Refusal, SourceItem
from mht.storage import OUTSIDE_ROOT, ReadRequest, Storage, join


def fetch_objects(storage: Storage, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
    """The bytes of each item's object, or of its range, in order; a refusal where there are none."""
    requests = [
        ReadRequest(
            uri=item.uri,
            offset=item.offset_bytes,
            length=item.length_bytes,
            max_bytes=max_bytes,
            size_bytes=item.size_bytes if item.offset_bytes is None else None,
            version=item.version,
        )
        for item in items
    ]
    return [as_fetched(body) for body in storage.read_many(requests)]


def as_fetched(body: bytes | Refusal) -> Fetched:
    """Bytes or a refusal as the record that a source hands on."""
    return Fetched(None, body) if isinstance(body, Refusal) else Fetched(body)


def below(root: str, folder: str, reference: str) -> tuple[str, str, str | None]:
    """Name, address and version of a file that a row names, relative to `folder` below `root`.

    A reference that climbs out of the root keeps its wording as its name and gets the version that is refused.
    """
    raw = f"{folder}{reference}"
    name = posixpath.normpath(raw)
    if raw.startswith("/") or name == ".." or name.startswith("../"):
        return raw, join(root, raw), OUTSIDE_ROOT
    return name, join(root, name), None
