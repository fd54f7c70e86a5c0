"""Pictures: what the scene says is what the pixels show, where and how large it says."""

import hashlib
import io
import itertools
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from mht.phantoms.chest_xray.anatomy import FRAME_MM as CHEST_MM
from mht.phantoms.draw import encode, render
from mht.phantoms.fundus.anatomy import FRAME_MM as FUNDUS_MM
from mht.phantoms.head_ct.anatomy import FRAME_MM as HEAD_MM
from mht.phantoms.scene import KINDS, Entity, Scene, draw_scene, findings

SIDE = 512
# A white cell pushes the red cells around it away.
MARGIN = {"blood_smear": 45, "chest_xray": 10, "head_ct": 10, "fundus": 10}


def scenes_with(kind: str, finding: str, count: int) -> Iterator[tuple[Scene, Entity]]:
    found = 0
    for index in range(3000):
        scene = draw_scene(kind, index, 3)
        for entity in scene.present:
            if entity.finding == finding:
                yield scene, entity
                found += 1
        if found >= count:
            return
    assert found, f"no {finding} in 3,000 scenes"


def change(scene: Scene, entity: Entity) -> np.ndarray:
    """How much brighter the entity makes each pixel; summed over the colours."""
    without = replace(scene, present=tuple(one for one in scene.present if one is not entity))
    difference = render(scene, SIDE).astype(np.int32) - render(without, SIDE)
    return difference if difference.ndim == 2 else difference.sum(axis=2)


ALL = [(kind, finding) for kind in KINDS for finding in findings(kind)]
SPREAD_OUT = {"anisocytosis", "hypochromia"}


@pytest.mark.parametrize(("kind", "finding"), ALL)
def test_a_finding_changes_its_box_and_little_else(kind: str, finding: str) -> None:
    for scene, entity in scenes_with(kind, finding, 3):
        difference = np.abs(change(scene, entity))
        assert difference.max() >= 12, (scene.index, entity)
        if finding in SPREAD_OUT:
            assert entity.box is None
            continue
        assert entity.box is not None
        x0, y0, x1, y1 = entity.box
        near = MARGIN[kind]
        inside = difference[max(0, y0 - near) : y1 + near, max(0, x0 - near) : x1 + near]
        assert inside.sum() >= 0.9 * difference.sum(), (scene.index, entity)


SIDED = [
    *(("chest_xray", name) for name in ("pleural effusion", "pneumothorax", "consolidation", "atelectasis")),
    *(("chest_xray", name) for name in ("pulmonary nodule", "lung mass", "rib fracture", "chest tube")),
    *(
        ("head_ct", name)
        for name in ("subdural hematoma", "epidural hematoma", "infarct", "intracranial mass")
    ),
    *(
        ("head_ct", name)
        for name in ("intraparenchymal hemorrhage", "subarachnoid hemorrhage", "scalp hematoma")
    ),
    *(("head_ct", name) for name in ("skull fracture", "vasogenic edema", "ventriculoperitoneal shunt")),
]


@pytest.mark.parametrize(("kind", "finding"), SIDED)
def test_the_patients_left_is_on_the_images_right(kind: str, finding: str) -> None:
    sides = set()
    for scene, entity in scenes_with(kind, finding, 6):
        sides.add(entity.side)
        difference = np.abs(change(scene, entity))
        right_half = difference[:, SIDE // 2 :].sum() / difference.sum()
        if entity.side == "left":
            assert right_half > 0.9, (scene.index, entity)
        elif entity.side == "right":
            assert right_half < 0.1, (scene.index, entity)
        else:
            assert 0.2 < right_half < 0.8, (scene.index, entity)
    assert sides & {"left", "right"}


def test_the_disc_lies_on_the_nasal_side_of_each_eye() -> None:
    for index in range(8):
        scene = draw_scene("fundus", index, 0)
        pixels = render(replace(scene, present=()), 256).astype(int).sum(axis=2)
        brightest = np.argwhere(pixels > np.quantile(pixels, 0.995))[:, 1].mean()
        assert bool(brightest > 128) is (scene.view == "right eye")


def extent_px(difference: np.ndarray) -> tuple[int, int]:
    """Width and height of what is changed by more than half of the usual change."""
    strong = difference > 0.5 * np.median(difference[difference > 10])
    rows, columns = np.flatnonzero(strong.sum(axis=1) > 1), np.flatnonzero(strong.sum(axis=0) > 1)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@pytest.mark.parametrize(
    ("kind", "finding", "frame_mm"),
    [
        ("chest_xray", "lung mass", CHEST_MM),
        ("chest_xray", "pulmonary nodule", CHEST_MM),
        ("head_ct", "intraparenchymal hemorrhage", HEAD_MM),
        ("head_ct", "intracranial mass", HEAD_MM),
        ("fundus", "choroidal nevus", FUNDUS_MM),
    ],
)
def test_a_round_finding_is_as_large_as_its_millimetres(kind: str, finding: str, frame_mm: float) -> None:
    sharp, soft = [], []
    for scene, entity in scenes_with(kind, finding, 14):
        if entity.count not in (None, 1):
            continue
        alone = replace(scene, present=(entity,))
        difference = change(alone, alone.present[0])
        difference = difference if difference.sum() > 0 else -difference
        width, height = (px * frame_mm / SIDE for px in extent_px(np.maximum(difference, 0)))
        assert entity.size_mm is not None
        faded = {"ill-defined", "spiculated"} & set(entity.attributes)
        (soft if faded else sharp).append(max(width, height) / entity.size_mm)
    assert 0.92 < np.median(sharp) < 1.08, sharp
    assert 0.75 < min(sharp) <= max(sharp) < 1.25, sharp
    assert all(0.75 < one < 1.4 for one in soft), soft


def test_a_subdural_hematoma_is_as_thick_as_its_millimetres() -> None:
    for scene, entity in scenes_with("head_ct", "subdural hematoma", 12):
        alone = replace(scene, present=(entity,))
        drawn = np.abs(change(alone, alone.present[0])) > 12
        thickest = drawn.sum(axis=1).max() * HEAD_MM / SIDE
        assert entity.size_mm is not None
        assert abs(thickest - entity.size_mm) < 2.5, (scene.index, entity, thickest)


def test_a_larger_effusion_hides_more_lung() -> None:
    hidden: dict[str, list[float]] = {"small": [], "moderate": [], "large": []}
    for scene, entity in scenes_with("chest_xray", "pleural effusion", 30):
        if entity.side != "bilateral":
            hidden[entity.severity or ""].append(float(np.abs(change(scene, entity)).sum()))
    assert max(hidden["small"]) < np.mean(hidden["moderate"]) < np.mean(hidden["large"])


@pytest.mark.parametrize("finding", ["cerebral atrophy", "hydrocephalus"])
def test_no_healthy_head_and_no_other_grade_has_fluid_as_wide(finding: str) -> None:
    """What a caption grades can be told from the picture, whoever the patient is."""
    grades: tuple[str | None, ...] = (None, "mild", "moderate", "severe")
    areas: list[list[int]] = [[] for _ in grades]
    for index in range(40):
        scene = draw_scene("head_ct", index, 5)
        for area, grade in zip(areas, grades, strict=True):
            graded = Entity(finding, None, None, grade, None, None, (1, 1, 9, 9))
            pixels = render(replace(scene, attributes=(), present=(graded,) if grade else ()), 256)
            area.append(int((pixels[76:180, 88:168] < 60).sum()))
    spans = [(min(area), max(area)) for area in areas]
    assert all(below < above for (_, below), (above, _) in itertools.pairwise(spans)), spans


def test_a_fracture_is_seen_in_a_small_picture() -> None:
    for scene, entity in scenes_with("head_ct", "skull fracture", 20):
        alone = replace(scene, present=(entity,))
        drawn = render(replace(alone, present=()), 128).astype(int) - render(alone, 128)
        assert (drawn > 90).sum() >= 3, (scene.index, entity)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side_px", [32, 96, 256, 500, 768])
def test_a_picture_has_the_wanted_side(kind: str, side_px: int) -> None:
    pixels = render(draw_scene(kind, 0, 0), side_px)
    colour = kind in ("blood_smear", "fundus")
    assert pixels.shape == ((side_px, side_px, 3) if colour else (side_px, side_px))
    assert pixels.dtype == np.uint8
    assert pixels.std() > 20
    assert pixels.flags.c_contiguous


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_decodes_to_nearly_the_same_pixels(kind: str) -> None:
    pixels = render(draw_scene(kind, 1, 0), 256)
    with Image.open(io.BytesIO(encode(pixels))) as image:
        assert image.format == "JPEG"
        decoded = np.asarray(image).astype(int)
    assert decoded.shape == pixels.shape
    assert np.abs(decoded - pixels).mean() < 5


def test_no_two_pictures_are_alike() -> None:
    drawn = {encode(render(draw_scene(kind, index, 0), 96)) for kind in KINDS for index in range(30)}
    assert len(drawn) == 30 * len(KINDS)


PROGRAM = """
import hashlib
from mht.phantoms.draw import encode, render
from mht.phantoms.scene import KINDS, draw_scene
for kind in KINDS:
    for index in (9, 4):
        print(hashlib.sha256(encode(render(draw_scene(kind, index, 1), 256))).hexdigest())
"""


def test_another_process_draws_the_same_bytes() -> None:
    here = [
        hashlib.sha256(encode(render(draw_scene(kind, index, 1), 256))).hexdigest()
        for kind in KINDS
        for index in (9, 4)
    ]
    there = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert there.stdout.split() == here
