"""Rarer searches for cycles of garbage while many quick calls are made."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made till the next search. At Python's own 700 the searches are a tenth of the time of quick calls.
_BETWEEN_COLLECTIONS = 10_000


@contextmanager
def few_collections() -> Iterator[None]:
    """For as long as it lasts; as before where somebody has turned the searches off."""
    before = gc.get_threshold()
    if before[0]:
        gc.set_threshold(max(before[0], _BETWEEN_COLLECTIONS), *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
