"""Laying one picture over another finds the part that it shows, and tells a copy from a look-alike."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from mht.imaging.hashes import thumbnail
from mht.imaging.likeness import THUMBNAIL_BYTES, Likeness, compare
from tests.imaging.radiographs import DISGUISES, cut, radiograph

WHOLE = (0.0, 0.0, 1.0, 1.0)


def square(image: Image.Image) -> np.ndarray:
    data = thumbnail(image)
    assert len(data) == THUMBNAIL_BYTES
    return np.frombuffer(data, np.uint8).reshape(64, 64)


def likeness(one: Image.Image, other: Image.Image, start: tuple[float, ...] = WHOLE) -> Likeness:
    return compare(square(one)[None], square(other)[None], np.array([start]))[0]


@pytest.mark.parametrize("name", DISGUISES)
def test_a_disguised_copy_is_alike(name: str) -> None:
    for number in range(2):
        original = radiograph(number)
        found = likeness(original, DISGUISES[name](original))
        assert found.value is not None
        assert found.value > 0.9, number


@pytest.mark.parametrize(
    "edges", [(0.05, 0, 0, 0), (0, 0.05, 0, 0.05), (0.05, 0.05, 0.05, 0.05), (0.02, 0, 0.05, 0.03)]
)
def test_the_part_that_is_shown_is_found(edges: tuple[float, float, float, float]) -> None:
    original = radiograph(5)
    found = likeness(original, cut(original, *edges))
    left, top, right, bottom = edges
    assert found.box == pytest.approx((left, top, 1 - right, 1 - bottom), abs=0.008)


def test_look_alikes_are_not_alike() -> None:
    values = [likeness(radiograph(a), radiograph(b)).value for a in range(4) for b in range(6, 10)]
    assert all(value is not None and value < 0.75 for value in values), max(map(str, values))


def test_a_picture_without_detail_has_no_likeness() -> None:
    grey = Image.new("L", (80, 60), 90)
    assert likeness(grey, grey).value is None
    assert likeness(radiograph(1), grey).value == pytest.approx(0, abs=0.05)


def test_a_mirror_image_and_a_negative_are_not_alike() -> None:
    original = radiograph(3)
    for other in (original.transpose(Image.Transpose.FLIP_LEFT_RIGHT), original.point(lambda v: 255 - v)):
        value = likeness(original, other).value
        assert value is not None
        assert value < 0.6


def test_a_comparison_does_not_depend_on_its_company() -> None:
    made = [radiograph(n % 5) for n in range(70)]
    pictures = np.array([square(image) for image in made])
    others = np.array([square(DISGUISES["corner"](image)) for image in made])
    starts = np.tile(WHOLE, (70, 1))
    together = compare(pictures, others, starts)
    for n in (0, 33, 69):
        assert compare(pictures[n : n + 1], others[n : n + 1], starts[n : n + 1]) == [together[n]]
