"""What of a configuration decides the rows, so that a run is resumed only under the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mht.seeds import digest

# What may differ when a run is resumed: where and how fast the work is done, never what comes out of it.
RESUMABLE_KEYS = (
    "plan", "new_run", "build.workers", "build.stall_s", "build.stall_tries",
    "build.max_quarantined", "build.max_unanswered",
    "build.progress", "build.near_duplicate_bits", "build.gallery_images", "ray", "storage", "engines",
)  # fmt: skip


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted key, value) of every leaf; an empty mapping is a leaf."""
    for key, value in tree.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from flatten(value, f"{dotted}.")
        else:
            yield dotted, value


def identity(resolved: Mapping[str, Any], free: Sequence[str] = RESUMABLE_KEYS) -> dict[str, Any]:
    """The flat keys that decide the rows: all but those of `free` and where the output lies."""
    skipped = (*free, "output")
    return {
        key: value
        for key, value in flatten(resolved)
        if not any(key == skip or key.startswith(skip + ".") for skip in skipped)
    }


def identity_hash(resolved: Mapping[str, Any], free: Sequence[str] = RESUMABLE_KEYS) -> str:
    """32 hex digits over `identity`."""
    return digest(json.dumps(identity(resolved, free), sort_keys=True)).hex()


def differing(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Two identities' keys that are not the same: `key: old -> new`, one line each."""
    return [
        f"{key}: {_word(was.get(key))} -> {_word(now.get(key))}"
        for key in sorted(was.keys() | now.keys())
        if was.get(key) != now.get(key)
    ]


def _word(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
