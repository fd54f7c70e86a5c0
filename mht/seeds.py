"""Randomness belongs to the row: the same row draws the same numbers on one core or on a thousand."""

from __future__ import annotations

import hashlib
import random


def digest(*parts: object, size: int = 16) -> bytes:
    """BLAKE2b of the parts, each written as text and set apart by a unit separator; `size` bytes."""
    text = "\x1f".join(map(str, parts)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(text, digest_size=size).digest()


def row_rng(seed: int, stage: str, row_id: str) -> random.Random:
    """A generator that depends on nothing but the run's seed, the stage's name and the row's id."""
    return random.Random(int.from_bytes(digest(seed, stage, row_id), "big"))


def row_fraction(seed: int, stage: str, row_id: str) -> float:
    """One number in [0, 1) for the row, where a whole generator would be too much."""
    return int.from_bytes(digest(seed, stage, row_id, size=7), "big") / (1 << 56)


def row_seed(seed: int, stage: str, row_id: str) -> int:
    """A seed of the row's own for a generator elsewhere: below 2**53, which JSON and every library can hold."""
    return int.from_bytes(digest(seed, stage, row_id, size=7), "big") >> 3
