"""Attributes in pictures: margin, contour, density, contrast, colour and number are what the pixels show."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from mht.phantoms.draw import render
from mht.phantoms.scene import REFERENCE_PX, Entity, Scene, draw_scene

SIDE = 512


def entities(kind: str, finding: str, *terms: str, count: int = 3) -> Iterator[tuple[Scene, Entity]]:
    """Scenes that hold nothing but the finding, with all the terms."""
    found = 0
    for index in range(12000):
        scene = draw_scene(kind, index, 8)
        for one in scene.present:
            if one.finding == finding and set(terms) <= set(one.attributes) and found < count:
                yield replace(scene, present=(one,)), one
                found += 1
        if found == count:
            return
    raise AssertionError(f"only {found} of {terms}")


def difference(scene: Scene) -> np.ndarray:
    """What the finding adds to each pixel and colour."""
    drawn = render(scene, SIDE).astype(np.int32) - render(replace(scene, present=()), SIDE)
    return drawn


def middle(entity: Entity, pixels: np.ndarray, half: int = 2) -> np.ndarray:
    assert entity.box is not None
    x, y = (entity.box[0] + entity.box[2]) // 2, (entity.box[1] + entity.box[3]) // 2
    return pixels[y - half : y + half + 1, x - half : x + half + 1]


SWAPS = [
    ("chest_xray", "lung mass", "well-defined", "ill-defined"),
    ("chest_xray", "lung mass", "smooth", "spiculated"),
    ("chest_xray", "pulmonary nodule", "calcified", "non-calcified"),
    ("chest_xray", "rib fracture", "displaced", "non-displaced"),
    ("head_ct", "subdural hematoma", "hyperdense", "hypodense"),
    ("head_ct", "subdural hematoma", "hyperdense", "isodense"),
    ("head_ct", "infarct", "acute", "chronic"),
    ("head_ct", "intracranial mass", "well-defined", "ill-defined"),
    ("head_ct", "intracranial mass", "ring-enhancing", "enhancing"),
    ("head_ct", "intracranial mass", "enhancing", "non-enhancing"),
    ("fundus", "hard exudate", "yellow", "white"),
    ("fundus", "drusen", "well-defined", "ill-defined"),
    ("fundus", "laser scar", "white", "black"),
    ("fundus", "choroidal nevus", "brown", "blue"),
]


@pytest.mark.parametrize(("kind", "finding", "term", "other"), SWAPS)
def test_another_attribute_is_another_picture_in_the_same_place(
    kind: str, finding: str, term: str, other: str
) -> None:
    for scene, entity in entities(kind, finding, term, count=2):
        swapped = replace(
            entity, attributes=tuple(other if one == term else one for one in entity.attributes)
        )
        pixels = render(scene, SIDE).astype(np.int32)
        changed = np.abs(pixels - render(replace(scene, present=(swapped,)), SIDE))
        changed = changed if changed.ndim == 2 else changed.max(axis=2)
        assert changed.max() >= 20
        assert entity.box is not None
        x0, y0, x1, y1 = entity.box
        assert changed[max(0, y0 - 12) : y1 + 12, max(0, x0 - 12) : x1 + 12].sum() > 0.95 * changed.sum()


def steepest(kind: str, finding: str, term: str) -> float:
    """The steepest rise along the middle row, as a share of the whole rise, per radius."""
    rises = []
    for scene, entity in entities(kind, finding, term, count=4):
        assert entity.box is not None
        x0, y0, x1, y1 = entity.box
        added = np.abs(difference(scene).reshape(SIDE, SIDE, -1).sum(axis=2))
        line = added[(y0 + y1) // 2 - 2 : (y0 + y1) // 2 + 3].mean(axis=0)
        rise = np.abs(np.diff(np.convolve(line, np.ones(3) / 3, mode="same"))).max()
        rises.append(rise * (x1 - x0) / 2 / middle(entity, added).mean())
    return float(np.median(rises))


@pytest.mark.parametrize(
    ("kind", "finding"),
    [("chest_xray", "lung mass"), ("head_ct", "intracranial mass"), ("fundus", "choroidal nevus")],
)
def test_a_well_defined_edge_is_steeper(kind: str, finding: str) -> None:
    assert steepest(kind, finding, "well-defined") > 1.7 * steepest(kind, finding, "ill-defined")


@pytest.mark.parametrize(
    ("finding", "term", "sign"),
    [
        ("intracranial mass", "hyperdense", 1),
        ("intracranial mass", "hypodense", -1),
        ("intracranial mass", "enhancing", 1),
        ("intracranial mass", "non-enhancing", -1),
        ("intraparenchymal hemorrhage", "acute", 1),
        ("intraparenchymal hemorrhage", "chronic", -1),
        ("infarct", "hypodense", -1),
    ],
)
def test_dense_is_bright_and_less_dense_is_dark(finding: str, term: str, sign: int) -> None:
    for scene, entity in entities("head_ct", finding, term):
        assert np.median(middle(entity, difference(scene))) * sign > 12, entity


def test_an_old_subdural_hematoma_is_darker_than_brain_and_a_new_one_brighter() -> None:
    levels = {}
    for term in ("acute", "subacute", "chronic"):
        pixels = []
        for scene, _ in entities("head_ct", "subdural hematoma", term):
            plain = render(scene, SIDE).astype(np.int32)
            pixels.append(np.median(plain[np.abs(difference(scene)) > 12]))
        levels[term] = float(np.median(pixels))
    brain = 0.44 * 255
    assert levels["chronic"] < brain - 20 < brain + 40 < levels["acute"]
    assert levels["chronic"] < levels["subacute"] < levels["acute"]


def test_a_ring_is_bright_around_a_dark_core() -> None:
    for scene, entity in entities("head_ct", "intracranial mass", "ring-enhancing"):
        assert entity.box is not None
        assert entity.size_mm is not None
        x0, y0, x1, y1 = entity.box
        pixels = render(scene, SIDE)[y0:y1, x0:x1]
        assert np.percentile(pixels, 85) > np.median(middle(entity, render(scene, SIDE))) + 60


def test_contrast_fills_the_vessels() -> None:
    seen = 0
    for index in range(100):
        scene = replace(draw_scene("head_ct", index, 8), present=())
        if "contrast-enhanced" in scene.attributes:
            seen += 1
            plain = replace(scene, attributes=("axial", "unenhanced"))
            brighter = render(scene, SIDE).astype(np.int32) - render(plain, SIDE)
            assert (brighter > 40).mean() > 0.005
            assert (brighter < -15).mean() < 0.001
    assert seen > 8


def test_a_calcified_core_is_brighter_than_its_rim() -> None:
    for scene, entity in entities("chest_xray", "pulmonary nodule", "calcified"):
        if entity.count == 1:
            assert entity.box is not None
            x0, y0, _, y1 = entity.box
            added = difference(scene)
            rim = added[(y0 + y1) // 2 - 1 : (y0 + y1) // 2 + 2, x0 + 1 : x0 + 3]
            assert np.median(middle(entity, added, 1)) > 1.4 * rim.mean()


def blobs(mask: np.ndarray) -> int:
    """How many connected patches of more than three pixels there are."""
    left = set(map(tuple, np.argwhere(mask).tolist()))
    sizes = []
    while left:
        front, size = [left.pop()], 0
        while front:
            y, x = front.pop()
            size += 1
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            front += near
        sizes.append(size)
    return sum(size > 3 for size in sizes)


def test_there_are_as_many_nodules_as_the_scene_counts() -> None:
    counted: Counter[int] = Counter()
    for index in range(2500):
        scene = draw_scene("chest_xray", index, 8)
        one = next((e for e in scene.present if e.finding == "pulmonary nodule"), None)
        if one is None or one.count is None or counted[one.count] >= 3:
            continue
        added = difference(replace(scene, present=(one,)))
        assert blobs(added > 0.5 * added.max()) == one.count, (index, one)
        counted[one.count] += 1
    assert set(counted) == {1, 2, 3, 4}


def colour(scene: Scene) -> np.ndarray:
    """Red, green and blue where the finding changes the picture most."""
    pixels = render(scene, SIDE).astype(np.int32)
    added = difference(scene).sum(axis=2)
    changed = (
        -added if scene.kind == "blood_smear" else np.abs(added)
    )  # a new cell also clears the old ones away
    return np.asarray(np.median(pixels[changed > 0.75 * changed.max()], axis=0))


@pytest.mark.parametrize(
    ("kind", "finding", "term"),
    [
        ("fundus", "retinal hemorrhage", "red"),
        ("fundus", "hard exudate", "yellow"),
        ("fundus", "hard exudate", "white"),
        ("fundus", "drusen", "white"),
        ("fundus", "drusen", "yellow"),
        ("fundus", "laser scar", "black"),
        ("fundus", "choroidal nevus", "blue"),
        ("fundus", "choroidal nevus", "brown"),
        ("blood_smear", "blast", "purple"),
        ("blood_smear", "blast", "blue"),
        ("blood_smear", "sickle cell", "pink"),
        ("blood_smear", "sickle cell", "orange"),
    ],
)
def test_a_colour_is_what_it_is_called(kind: str, finding: str, term: str) -> None:
    for scene, _ in entities(kind, finding, term):
        red, green, blue = colour(scene)
        fits = {
            "red": red > 1.8 * max(green, blue),
            "yellow": min(red, green) > 1.3 * blue,
            "white": min(red, green, blue) > 0.72 * max(red, green, blue) and red > 150,
            "black": max(red, green, blue) < 90,
            "blue": blue > 1.15 * max(red, green),
            "brown": red > green > 0.95 * blue and red < 150,
            "purple": min(red, blue) > 1.2 * green and blue > red,
            "pink": red > 1.2 * blue > green and abs(green - blue) < 0.2 * red,
            "orange": red > 1.2 * green > 1.3 * blue,
        }
        assert fits[term], (red, green, blue)


def test_boxes_of_several_nodules_hold_them_all() -> None:
    for index in range(1500):
        for one in draw_scene("chest_xray", index, 8).present:
            if one.finding == "pulmonary nodule" and (one.count or 1) > 1:
                assert one.box is not None
                assert one.size_mm is not None
                width = (one.box[2] - one.box[0]) / REFERENCE_PX * 380
                assert width > 2.4 * one.size_mm
