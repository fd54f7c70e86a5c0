"""A perceptual hash of an image, and the search for images whose hashes are close to each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from mht.imaging.resample import MODES, resample

if TYPE_CHECKING:
    from PIL.Image import Image

HASH_BYTES = 32

# The distance (bits of 256) up to which two images count as near duplicates. Measured on 500 CT and MR images
# of MedPix and the 315 of VQA-RAD: against the image itself at half its size the median is 4 and the largest
# 24, as JPEG of quality 50 it is 2 and 10, 10 % brighter 2 and 14, all three at once 6 and 24. Of the 331,705
# pairs of different files 31 are within 24: copies that stand in both collections, and neighbouring slices of
# one series. The first two files that are neither are 58 apart; a random pair is 126 apart, 99 in 100 are
# over 100. Not found: a crop by 2 % a side (median 34) and a mirror image (126).
NEAR_DUPLICATE_BITS = 24

_SIDE = 64  # px of the square grey image that is transformed
_LOW = 16  # frequencies kept along each axis


_WHOLE = (0.0, 1.0)


@lru_cache(maxsize=8)
def _cosines(part: tuple[float, float] = _WHOLE) -> Any:
    """The first 17 rows of the 64-point DCT-II in units of 1/4096, as whole numbers, 17 x 64.

    Of a `part` of the 64 points, stretched to 64 by straight lines between them, where one is given. Whole numbers
    below 2**53 add up exactly in float64 whatever the order, so the hash does not depend on the machine's BLAS.
    """
    import numpy as np

    phase = (2 * np.arange(_SIDE) + 1) * np.arange(_LOW + 1)[:, None]
    rows = np.round(np.cos(np.pi * phase / (2 * _SIDE)) * 4096)
    if part == _WHOLE:
        return rows
    at = np.clip(
        (part[0] + (np.arange(_SIDE) + 0.5) / _SIDE * (part[1] - part[0])) * _SIDE - 0.5, 0, _SIDE - 1
    )
    left = np.minimum(at.astype(np.int64), _SIDE - 2)
    stretch = np.zeros((_SIDE, _SIDE))
    stretch[np.arange(_SIDE), left] = left + 1 - at
    stretch[np.arange(_SIDE), left + 1] = at - left
    return np.round(rows @ stretch)


def thumbnail(image: Image) -> bytes:
    """A 64 x 64 grey copy, row by row: 4096 bytes."""
    small = resample(image if image.mode in MODES else image.convert("L"), (_SIDE, _SIDE), by="box")
    return (small.convert("L") if small.mode != "L" else small).tobytes()


def perceptual_hash(image: Image) -> bytes:
    """The hash of an image's thumbnail, 32 bytes; see `hashes_of`."""
    return hash_of(thumbnail(image))


def hash_of(small: bytes) -> bytes:
    """The hash of a thumbnail's bytes, 32 bytes; see `hashes_of`."""
    import numpy as np

    return bytes(hashes_of(np.frombuffer(small, np.uint8).reshape(1, _SIDE, _SIDE))[0])


def hashes_of(
    thumbnails: Any, down: tuple[float, float] = _WHOLE, across: tuple[float, float] = _WHOLE
) -> Any:
    """n x 32 uint8: which low DCT frequencies of n thumbnails (n x 64 x 64) lie above their median.

    The mean brightness (the zeroth frequency) is no part of it: the next frequency along x takes its place. `down`
    and `across` are the part of the picture that is looked at, as shares of its sides.
    """
    import numpy as np

    spectrum = _cosines(down) @ thumbnails.astype(np.float64) @ _cosines(across).T
    low = spectrum[:, :_LOW, :_LOW].reshape(len(thumbnails), _LOW**2)
    low[:, 0] = spectrum[:, 0, _LOW]
    middle = low.shape[1] // 2 - 1
    return np.packbits(low > np.partition(low, middle, axis=1)[:, middle : middle + 1], axis=1)


def hamming(a: bytes, b: bytes) -> int:
    """The number of bits in which two hashes of the same length differ."""
    if len(a) != len(b):
        raise ValueError(f"hashes of {len(a)} and {len(b)} bytes cannot be compared")
    return (int.from_bytes(a, "big") ^ int.from_bytes(b, "big")).bit_count()


@dataclass(frozen=True, slots=True)
class NearDuplicates:
    """Pairs (i, j, distance) with i < j, sorted, and how much of the search was left out to bound the work.

    `skipped_buckets` counts groups of hashes that look alike in one band and were too many to compare there;
    a pair is missed only if all the bands in which it agrees were skipped. 0 means that every pair is there.
    """

    pairs: list[tuple[int, int, int]]
    skipped_buckets: int


_FEWEST_BANDS = 8
_FEW = 1_400  # hashes of which every pair is compared
_COMPARISONS_PER_HASH = 400  # beyond: for 100,000 hashes some 4 s on one core, beside 4 s of sorting
_MOST_PAIRS = 1_000_000
_CHUNK = 1_000_000


def near_duplicates(hashes: Sequence[bytes], max_distance: int = NEAR_DUPLICATE_BITS) -> NearDuplicates:
    """All pairs of 32-byte hashes at most `max_distance` bits apart, without comparing every pair.

    Equal hashes are chained to the first of them: (first, i, 0) for each, not all pairs among them; other
    pairs name the first of their equals. Joining what a pair joins gives the same groups.

    Of more than 1,400 hashes the 256 bits are dealt to `max_distance // 2 + 1` bands. Two hashes within the
    distance differ by at most one bit in at least one band, so they agree in one band with one bit masked out:
    for each band and bit the hashes are sorted by what is left and compared within equal runs (multi-index
    hashing, Norouzi et al. 2012).
    """
    import numpy as np

    first: dict[bytes, int] = {}
    pairs = [(first[h], i, 0) for i, h in enumerate(hashes) if first.setdefault(h, i) != i]
    if any(len(h) != HASH_BYTES for h in first):
        raise ValueError(f"a perceptual hash has {HASH_BYTES} bytes")
    index = np.fromiter(first.values(), np.int64, len(first))
    codes = np.frombuffer(b"".join(first), np.uint64).reshape(-1, HASH_BYTES // 8)
    found, skipped = _search(codes, max_distance)
    left, right = found // max(1, len(codes)), found % max(1, len(codes))
    far = np.bitwise_count(codes[left] ^ codes[right]).sum(axis=1)
    pairs += zip(index[left].tolist(), index[right].tolist(), far.tolist(), strict=True)
    return NearDuplicates(sorted(pairs), skipped)


def _search(codes: Any, max_distance: int) -> tuple[Any, int]:
    """Pairs of rows of `codes` (n x 4 uint64) as left * n + right, each once, and the runs that were skipped."""
    import numpy as np

    if len(codes) <= _FEW:
        every = np.arange(len(codes)), np.array([0]), np.array([len(codes)])
        return np.concatenate([np.empty(0, np.int64), *_within(codes, max_distance, _candidates(*every))]), 0
    bands = max(_FEWEST_BANDS, max_distance // 2 + 1)
    bits = np.unpackbits(codes.view(np.uint8), axis=1)
    budget = _COMPARISONS_PER_HASH * len(codes) // (8 * HASH_BYTES)
    near = [np.empty(0, np.int64)]
    skipped = 0
    for band in range(bands):
        # every n-th bit, so that each band has low and high frequencies, which tell images apart unequally
        members = bits[:, band::bands].astype(np.uint32)
        keys = members @ (1 << np.arange(members.shape[1], dtype=np.uint32))
        for bit in range(members.shape[1]):
            order, starts, lengths = _runs(keys & ~np.uint32(1 << bit))
            fits = _affordable(lengths, budget)
            skipped += int(len(lengths) - fits.sum())
            near += _within(codes, max_distance, _candidates(order, starts[fits], lengths[fits]))
            if sum(map(len, near)) > 2 * _MOST_PAIRS or bit == members.shape[1] - 1:
                near = [np.unique(np.concatenate(near))]
                if len(near[0]) > _MOST_PAIRS:
                    return near[0], skipped + 8 * HASH_BYTES  # what is left was not looked at
    return near[0], skipped


def _within(codes: Any, max_distance: int, candidates: Iterator[tuple[Any, Any]]) -> Iterator[Any]:
    """Those candidates that are near, as smaller row * n + larger row."""
    import numpy as np

    for left, right in candidates:
        near = np.bitwise_count(codes[left] ^ codes[right]).sum(axis=1) <= max_distance
        if near.any():
            left, right = left[near], right[near]
            yield np.minimum(left, right) * len(codes) + np.maximum(left, right)


def _runs(keys: Any) -> tuple[Any, Any, Any]:
    """The order that sorts the keys, and start and length of each run of two or more equal ones in it."""
    import numpy as np

    order = np.argsort(keys)
    ordered = keys[order]
    edges = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1], [True])))
    lengths = np.diff(edges)
    several = lengths > 1
    return order, edges[:-1][several], lengths[several]


def _affordable(lengths: Any, budget: int) -> Any:
    """Which runs to compare: the shortest first, while `budget` comparisons last."""
    import numpy as np

    by_length = np.argsort(lengths, kind="stable")
    ordered = lengths[by_length].astype(np.int64)
    fits = np.empty(len(lengths), bool)
    fits[by_length] = np.cumsum(ordered * (ordered - 1) // 2) <= budget
    return fits


_SMALL_RUN = 64


@lru_cache(maxsize=_SMALL_RUN)
def _all_pairs(length: int) -> tuple[Any, Any]:
    """The pairs of a short run, which comes again and again: making them took a quarter of the search."""
    import numpy as np

    return np.triu_indices(length, 1)


def _candidates(order: Any, starts: Any, lengths: Any) -> Iterator[tuple[Any, Any]]:
    """All pairs within each run, as two arrays of rows at a time."""
    import numpy as np

    for length in np.unique(lengths):
        first, second = _all_pairs(int(length)) if length <= _SMALL_RUN else np.triu_indices(int(length), 1)
        rows = starts[lengths == length]
        step = max(1, _CHUNK // max(1, len(first)))
        for top in range(0, len(rows), step):
            at = rows[top : top + step, None]
            yield order[(at + first).ravel()], order[(at + second).ravel()]
