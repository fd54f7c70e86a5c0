"""The perceptual hash and the search for near duplicates, against comparing every pair."""

from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from mht.imaging.encode import shrink
from mht.imaging.hashes import HASH_BYTES, NEAR_DUPLICATE_BITS, hamming, near_duplicates, perceptual_hash
from tests.imaging.hostile import save, scene


def flip(code: bytes, n_bits: int, rng: random.Random) -> bytes:
    number = int.from_bytes(code, "big")
    for bit in rng.sample(range(8 * HASH_BYTES), n_bits):
        number ^= 1 << bit
    return number.to_bytes(HASH_BYTES, "big")


def lookalikes(n: int, seed: int) -> list[bytes]:
    """Random hashes, each with a copy at 1 to 40 bits, and some copied exactly."""
    rng = random.Random(seed)
    codes = [rng.randbytes(HASH_BYTES) for _ in range(n)]
    return codes + [flip(code, rng.randint(1, 40), rng) for code in codes] + codes[:5]


def joined(pairs: list[tuple[int, int, int]], n: int) -> list[int]:
    """Which group each of n belongs to, by the pairs."""
    group = list(range(n))
    for i, j, _ in pairs:
        old, new = group[j], group[i]
        group = [new if g == old else g for g in group]
    return group


def test_a_constant_image_and_a_tiny_one_have_hashes() -> None:
    for image in (Image.new("L", (64, 64), 9), Image.new("RGB", (1, 1)), scene(16, 900)):
        assert len(perceptual_hash(image)) == HASH_BYTES


def test_the_hash_does_not_see_brightness_but_sees_a_mirror() -> None:
    grey = scene()
    brighter = grey.point(lambda value: min(255, value + 15))
    assert hamming(perceptual_hash(grey), perceptual_hash(brighter)) <= 8
    mirrored = grey.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    assert hamming(perceptual_hash(grey), perceptual_hash(mirrored)) > 60


def test_half_the_bits_are_set() -> None:
    assert int.from_bytes(perceptual_hash(scene()), "big").bit_count() == 4 * HASH_BYTES


def test_hamming() -> None:
    assert hamming(b"\x0f\x00", b"\x00\x01") == 5
    with pytest.raises(ValueError, match="compared"):
        hamming(b"", b"a")


@pytest.mark.parametrize("max_distance", [0, 3, 8, 15, 24, 40])
@pytest.mark.parametrize("n", [300, 750])  # every pair, and by bands
def test_every_near_pair_is_found(n: int, max_distance: int) -> None:
    codes = lookalikes(n, seed=max_distance)
    found = near_duplicates(codes, max_distance)
    assert found.skipped_buckets == 0
    numbers = [int.from_bytes(code, "big") for code in codes]
    every = [
        (i, j, d)
        for i in range(len(codes))
        for j in range(i + 1, len(codes))
        if (d := (numbers[i] ^ numbers[j]).bit_count()) <= max_distance
    ]
    assert set(found.pairs) <= set(every)
    assert joined(found.pairs, len(codes)) == joined(every, len(codes))
    assert found.pairs == sorted(found.pairs)


def test_crowds_are_bounded_and_the_count_says_so() -> None:
    rng = random.Random(5)
    root = rng.randbytes(HASH_BYTES)
    codes = [flip(root, rng.randint(0, 30), rng) for _ in range(3_000)]
    found = near_duplicates(codes)
    assert found.skipped_buckets > 0
    assert all(hamming(codes[i], codes[j]) == d <= NEAR_DUPLICATE_BITS for i, j, d in found.pairs[:2000])


def test_many_copies_of_one_image_are_chained_not_squared() -> None:
    found = near_duplicates([b"\x01" * HASH_BYTES] * 50_000)
    assert found.pairs == [(0, i, 0) for i in range(1, 50_000)]


@pytest.mark.parametrize("codes", [[], [b"\x00" * HASH_BYTES]])
def test_none_and_one(codes: list[bytes]) -> None:
    assert near_duplicates(codes).pairs == []


def test_a_hash_of_another_length_is_an_error() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        near_duplicates([b"\x00" * 8])


def test_real_images_and_their_copies(reference_data: Path) -> None:
    """The default threshold holds on a sample: copies are within it, other cases far outside."""
    paths = sorted((reference_data / "vqa_rad" / "images").iterdir())[::8]
    originals, copies = [], []
    for path in paths:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        half = image.resize((image.width // 2, image.height // 2))
        bright = ImageEnhance.Brightness(half).enhance(1.1)
        with Image.open(io.BytesIO(save(bright, "JPEG", quality=50))) as copy:
            copies.append(perceptual_hash(shrink(copy.convert("RGB"), 336)))
        originals.append(perceptual_hash(shrink(image, 336)))
    assert np.quantile([hamming(a, b) for a, b in zip(originals, copies, strict=True)], 0.95) <= 16
    found = near_duplicates(originals + copies)
    own = {(i, i + len(paths)) for i in range(len(paths))}
    assert len(own & {(i, j) for i, j, _ in found.pairs}) >= 0.97 * len(paths)
