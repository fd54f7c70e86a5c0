"""Head CT phantoms to learn seeing from: drawn as they are needed, rare findings oftener, and where everything is."""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt
from PIL import Image

from mht.phantoms.draw import encode, render
from mht.phantoms.model.seen import KIND
from mht.phantoms.scene import REFERENCE_PX, Scene, draw_scene, findings
from mht.phantoms.truth import LADDERS
from mht.seeds import row_rng

FINDINGS = findings(KIND)
SITES = (
    "frontal lobe", "parietal lobe", "temporal lobe", "occipital lobe", "basal ganglia", "thalamus",
    "temporal region", "parietal region",
)  # fmt: skip
GRADES = {grade: rank for ladder in LADDERS for rank, grade in enumerate(ladder)}
LARGE_PX = 336
"""One scene in four is drawn larger and resized, as datasets hold them."""
_CANDIDATES = 3
_COMMON = dict(
    zip(FINDINGS, (16, 15, 9, 17, 13, 9, 8, 4, 6, 6, 3, 17, 3, 10, 3), strict=True)
)  # in a hundred scans
_AHEAD = 12


@dataclass(frozen=True, slots=True)
class Pictures:
    """`pixels` uint8 [n, side, side] and the `scenes` that they show.

    `told` int8 [n, findings, 5]: present, on the left, on the right, grade and site (-1: none); `where` uint8
    [n, findings, patches]: whether the finding's box touches a patch.
    """

    pixels: npt.NDArray[np.uint8]
    told: npt.NDArray[np.int8]
    where: npt.NDArray[np.uint8]
    scenes: tuple[Scene, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """The size of a picture and of a patch of it."""

    side_px: int
    patch_px: int


def draw(first: int, n: int, seed: int, frame: Frame) -> Pictures:
    """Pictures `first` to `first + n` of a seed."""
    scenes = tuple(_rarest(index, seed) for index in range(first, first + n))
    across = frame.side_px // frame.patch_px
    return Pictures(
        np.stack([picture(scene, frame.side_px) for scene in scenes]),
        np.stack([_told(scene) for scene in scenes]),
        np.stack([_where(scene, across) for scene in scenes]),
        scenes,
    )


@contextmanager
def drawn(batches: int, n: int, seed: int, frame: Frame) -> Iterator[Iterator[Pictures]]:
    """So many batches of `n` pictures, drawn by a process beside this one, a few ahead of where they are used."""
    with get_context("spawn").Pool(1) as pool:

        def ahead() -> Iterator[Pictures]:
            waiting = deque(
                pool.apply_async(draw, (i * n, n, seed, frame)) for i in range(min(_AHEAD, batches))
            )
            for i in range(batches):
                yield waiting.popleft().get()
                if i + _AHEAD < batches:
                    waiting.append(pool.apply_async(draw, ((i + _AHEAD) * n, n, seed, frame)))

        yield ahead()


def _rarest(index: int, seed: int) -> Scene:
    """One of a few scenes, rather one that holds something rare."""
    rng = row_rng(seed, "phantoms.model.pictures", str(index))
    candidates = [draw_scene(KIND, _CANDIDATES * index + i, seed) for i in range(_CANDIDATES)]
    rarity = [max((1 / _COMMON[e.finding] for e in scene.present), default=0) for scene in candidates]
    return max(zip(rarity, candidates, strict=True), key=lambda one: rng.random() * one[0])[1]


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


def _where(scene: Scene, across: int) -> npt.NDArray[np.uint8]:
    where = np.zeros((len(FINDINGS), across, across), np.uint8)
    for entity in scene.present:
        if entity.box is not None:
            x0, y0, x1, y1 = (edge * across / REFERENCE_PX for edge in entity.box)
            where[FINDINGS.index(entity.finding), int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = 1
    return where.reshape(len(FINDINGS), -1)
