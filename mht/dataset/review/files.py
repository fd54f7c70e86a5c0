"""Reviews as files: JSON lines of decisions, or what Label Studio exports."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from mht.dataset.review.decisions import Decision, Review, decision
from mht.dataset.review.label_studio import decisions_of
from mht.errors import InputError
from mht.storage import Storage, join


def read_review(storage: Storage, uri: str) -> Review:
    """Raises InputError that names the line or the task which is no decision."""
    try:
        text = storage.read(uri).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(
            f"{uri} at review: not UTF-8. Give the file that `mht review import` wrote."
        ) from None
    if text.lstrip().startswith("["):
        return Review.of(decisions_of(_parsed(text, uri), uri))
    return Review.of(_lines(text, uri))


def adopted(storage: Storage, root: str, resolved: Mapping[str, Any]) -> Review | None:
    """The review that a dataset was built with, as it is kept there; None where it was built without."""
    path = resolved.get("review")
    return read_review(storage, join(root, path)) if path else None


def _lines(text: str, uri: str) -> Iterator[Decision]:
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield decision(_parsed(line, f"{uri}:{number}"), f"{uri}:{number}")


def _parsed(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InputError(f"{place} at review: not JSON ({error}). Export or import it again.") from None
