"""Chest phantoms to learn seeing from: each beside itself with something taken out, and where everything is.

Taking a finding out leaves the rest of a phantom as it is, so what tells two neighbours apart is the finding alone.
"""

from __future__ import annotations

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
from PIL import Image

from mht.phantoms.draw import encode, render
from mht.phantoms.model.seen import KIND
from mht.phantoms.scene import REFERENCE_PX, Scene, draw_scene, findings
from mht.seeds import row_rng

FINDINGS = findings(KIND)
SITES = (
    "lower lobe", "upper lobe", "middle lobe", "lingula", "base", "apex",
    "third rib", "fourth rib", "fifth rib", "sixth rib", "seventh rib", "eighth rib",
)  # fmt: skip
GRADES = {"small": 0, "mild": 0, "moderate": 1, "large": 2, "severe": 2}
LARGE_PX = 336
"""One scene in four is drawn larger and resized, as datasets hold them."""
_CANDIDATES = 3
_KEPT = 0.85
_COMMON = dict(
    zip(FINDINGS, (30, 22, 14, 20, 10, 8, 6, 6, 4, 4, 14, 12, 10, 8, 9, 3), strict=True)
)  # in a hundred films


@dataclass(frozen=True, slots=True)
class Pictures:
    """`pixels` uint8 [n, side, side]; rows 2i and 2i + 1 are neighbours, and so are the `scenes`.

    `told` int8 [n, findings, 5]: present, on the left, on the right, grade and site (-1: none); `where` uint8
    [n, findings, patches]: whether the finding's box touches a patch.
    """

    pixels: npt.NDArray[np.uint8]
    told: npt.NDArray[np.int8]
    where: npt.NDArray[np.uint8]
    scenes: tuple[Scene, ...]


Row = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int8], npt.NDArray[np.uint8], Scene]


def draw(pairs: int, seed: int, side_px: int, patch_px: int, workers: int) -> Pictures:
    """`pairs` scenes with their neighbours; the same for any number of worker processes (1: none)."""
    tasks = [(index, seed, side_px, patch_px) for index in range(pairs)]
    rows = [row for two in _each(tasks, workers) for row in two]
    pixels, told, where, scenes = zip(*rows, strict=True)
    return Pictures(np.stack(pixels), np.stack(told), np.stack(where), tuple(scenes))


def _each(tasks: list[tuple[int, int, int, int]], workers: int) -> Iterator[list[Row]]:
    if workers == 1:
        yield from map(_two, tasks)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_two, tasks, chunksize=64)


def _two(task: tuple[int, int, int, int]) -> list[Row]:
    index, seed, side_px, patch_px = task
    rng = row_rng(seed, "phantoms.model.pictures", str(index))
    scene = _rarest(index, seed, rng)
    gone = rng.choice(scene.present) if scene.present else None
    left = tuple(e for e in scene.present if e is not gone and rng.random() < _KEPT)
    out = {e.finding for e in scene.present}.difference(e.finding for e in left)
    other = replace(scene, present=left, absent=(*scene.absent, *(name for name in FINDINGS if name in out)))
    return [_row(one, side_px, patch_px) for one in (scene, other)]


def _rarest(index: int, seed: int, rng: random.Random) -> Scene:
    """One of a few scenes, rather one that holds something rare."""
    drawn = [draw_scene(KIND, _CANDIDATES * index + i, seed) for i in range(_CANDIDATES)]
    return max(
        drawn,
        key=lambda scene: rng.random() * max((1 / _COMMON[e.finding] for e in scene.present), default=0),
    )


def _row(scene: Scene, side_px: int, patch_px: int) -> Row:
    return picture(scene, side_px), _told(scene), _where(scene, side_px // patch_px), scene


def picture(scene: Scene, side_px: int) -> npt.NDArray[np.uint8]:
    """The scene's picture as a file holds it, in the model's size."""
    drawn_px = LARGE_PX if scene.index % 4 == 0 else side_px
    image = Image.open(io.BytesIO(encode(render(scene, drawn_px))))
    return np.asarray(
        image.resize((side_px, side_px), Image.Resampling.BICUBIC) if drawn_px != side_px else image
    )


def _told(scene: Scene) -> npt.NDArray[np.int8]:
    told = np.zeros((len(FINDINGS), 5), np.int8)
    told[:, 3:] = -1
    for entity in scene.present:
        told[FINDINGS.index(entity.finding)] = (
            1,
            entity.side in ("left", "bilateral"),
            entity.side in ("right", "bilateral"),
            GRADES.get(entity.severity or "", -1),
            SITES.index(entity.site) if entity.site in SITES else -1,
        )
    return told


def _where(scene: Scene, patches: int) -> npt.NDArray[np.uint8]:
    where = np.zeros((len(FINDINGS), patches, patches), np.uint8)
    for entity in scene.present:
        if entity.box is not None:
            x0, y0, x1, y1 = (edge * patches / REFERENCE_PX for edge in entity.box)
            where[FINDINGS.index(entity.finding), int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = 1
    return where.reshape(len(FINDINGS), -1)
