"""Captions of a source: from sidecar files, from rows of a table, and the limits that both obey."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mht.records import Reason, Refusal, SourceItem
from mht.storage import ReadRequest, Storage

MAX_CAPTION_BYTES = 1 << 20

_REFUSED = "refused:"
_DETAIL = {
    Reason.CAPTION_TOO_LONG: f"over {MAX_CAPTION_BYTES:,} bytes; a caption is a text about one image",
    Reason.CAPTION_NOT_UTF8: "the text is not valid UTF-8; convert it",
    Reason.CAPTION_MISSING: "the caption's file is gone or holds none of the expected keys",
}


def carried(text: str | None) -> tuple[str | None, str | None]:
    """`caption` and `caption_uri` of an item whose caption the listing already holds.

    A text that cannot be stored is not carried; its reason is, as an address that `read_captions` knows.
    """
    if text is None or not text.strip():
        return None, None
    try:
        size = len(text.encode("utf-8"))
    except UnicodeEncodeError:
        return None, refused(Reason.CAPTION_NOT_UTF8)
    return (text, None) if size <= MAX_CAPTION_BYTES else (None, refused(Reason.CAPTION_TOO_LONG))


def refused(reason: Reason) -> str:
    """A reason as the address that stands where a caption's would."""
    return _REFUSED + reason


def decoded(data: bytes, extension: str, keys: Sequence[str]) -> str | Refusal | None:
    """The caption in a sidecar's bytes: the text itself, or a JSON object's first key that has one."""
    if len(data) > MAX_CAPTION_BYTES:
        return _refusal(Reason.CAPTION_TOO_LONG)
    try:
        text = data.decode("utf-8-sig")
        if extension == "json":
            return text_of(json.loads(text), keys)
    except UnicodeDecodeError:
        return _refusal(Reason.CAPTION_NOT_UTF8)
    except (ValueError, RecursionError):
        return Refusal(Reason.CAPTION_MISSING, "the caption's file is not valid JSON")
    return text if text.strip() else None


def text_of(record: Any, keys: Sequence[str]) -> str | None:
    """The first of the keys that holds a text."""
    if not isinstance(record, dict):
        return None
    for key in keys:
        value = record.get(key)
        if isinstance(value, str) and value.strip():
            return value
    return None


def read_captions(
    storage: Storage, items: Sequence[SourceItem], keys: Sequence[str]
) -> list[str | Refusal | None]:
    """Each item's caption, a refusal, or None where it has none."""
    out: list[str | Refusal | None] = [item.caption for item in items]
    wanted = []
    for index, item in enumerate(items):
        if item.caption is not None or item.caption_uri is None:
            continue
        if item.caption_uri.startswith(_REFUSED):
            out[index] = _refusal(Reason(item.caption_uri.removeprefix(_REFUSED)))
        else:
            wanted.append((index, item.caption_uri))
    bodies = storage.read_many([ReadRequest(uri, max_bytes=MAX_CAPTION_BYTES) for _, uri in wanted])
    for (index, uri), body in zip(wanted, bodies, strict=True):
        out[index] = _sidecar(uri, body, keys)
    return out


def _sidecar(uri: str, body: bytes | Refusal, keys: Sequence[str]) -> str | Refusal | None:
    if isinstance(body, bytes):
        caption = decoded(body, "json" if uri.lower().endswith(".json") else "txt", keys)
        if isinstance(caption, str) and carried(caption)[0] is None:
            return _refusal(Reason.CAPTION_NOT_UTF8)  # JSON can spell a lone surrogate
        return caption
    if body.reason is Reason.TOO_MANY_BYTES:
        return _refusal(Reason.CAPTION_TOO_LONG)
    return _refusal(Reason.CAPTION_MISSING) if body.reason is Reason.MISSING_OBJECT else body


def _refusal(reason: Reason) -> Refusal:
    return Refusal(reason, _DETAIL[reason])
