"""How alike two pictures are once one is laid over the other: the same picture, cut and encoded again, or another one.

A perceptual hash cannot tell two radiographs of one projection from a copy whose edge was cut off. So the one is
first laid over the other (scale and shift along each axis, by inverse compositional Gauss-Newton steps, Baker and
Matthews 2004, with gain and offset of the grey levels left free), then their detail is compared block by block.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

THUMBNAIL_SIDE = 64
THUMBNAIL_BYTES = THUMBNAIL_SIDE**2

_BLOCK = 8  # px of the thumbnail, in which detail is compared
_FLAT = 1.0  # grey levels: what varies less holds no detail to compare
_FEWEST_BLOCKS = 6
_MARGIN = 16  # one part in so many along each edge does not steer: there the one picture may have ended
_FARTHEST = 0.2  # the most by which scale or shift may differ, in halves of a side
_STEP = 0.05
_COARSE = 0.6  # pictures less alike than this at half the size are not looked at again
_CHUNK = 64


@dataclass(frozen=True, slots=True)
class Likeness:
    """Mean correlation of the detail in all blocks that hold any, 1 for the same; None where hardly one does.

    `box` is what `other` shows of the picture it was laid over: left, top, right and bottom as shares of its sides,
    (0, 0, 1, 1) for all of it, below 0 or above 1 where it shows more.
    """

    value: float | None
    box: tuple[float, float, float, float]


Box = tuple[float, float, float, float]


def compare(pictures: Any, others: Any, boxes: Any) -> list[Likeness]:
    """The likeness of each of `others` to the one of `pictures` beside it (n x 64 x 64, uint8).

    `boxes` (n x 4) is roughly what each of `others` shows of its picture; up to 3 % of a side may be amiss. Each
    comparison is made for itself, so its result does not depend on what else is compared.
    """
    import numpy as np

    out: list[Likeness] = []
    for at in range(0, len(pictures), _CHUNK):
        part = slice(at, at + _CHUNK)
        template, moving = (np.asarray(x[part], np.float32) for x in (pictures, others))
        out += _compare(template, moving, _from_boxes(np.asarray(boxes[part], np.float64)))
    return out


def _compare(template: Any, moving: Any, pose: Any) -> list[Likeness]:
    import numpy as np

    halves = [_halved(x) for x in (template, moving)]
    pose = _register(_smooth(halves[0], 2), _smooth(halves[1], 2), pose, steps=5)
    value = _detail(halves[0], halves[1], pose, fine=0)
    alive = np.flatnonzero(~(value < _COARSE))
    if len(alive):
        template, moving, near = template[alive], moving[alive], pose[alive]
        near = _register(_smooth(template, 2), _smooth(moving, 2), near, steps=5)
        pose[alive], value[alive] = near, _detail(template, moving, near, fine=1)
    boxes = _to_boxes(pose).tolist()
    return [
        Likeness(None if v != v else round(v, 3), tuple(round(edge, 3) for edge in box))
        for v, box in zip(value.tolist(), boxes, strict=True)
    ]


def _from_boxes(boxes: Any) -> Any:
    """Poses (scale - 1 and shift along y, then x, in halves of a side) under which `moving` lies on the template."""
    import numpy as np

    near, far = boxes[:, [1, 0]], boxes[:, [3, 2]]
    size, middle = far - near, near + far - 1
    return np.stack([1 / size - 1, -middle / size], axis=2).reshape(-1, 4)


def _to_boxes(pose: Any) -> Any:
    import numpy as np

    scale, shift = 1 + pose[:, [2, 0]], pose[:, [3, 1]]
    return np.concatenate([((end - shift) / scale + 1) / 2 for end in (-1.0, 1.0)], axis=1)


def _halved(pictures: Any) -> Any:
    n, side, _ = pictures.shape
    return pictures.reshape(n, side // 2, 2, side // 2, 2).mean(axis=(2, 4))


def _smooth(x: Any, times: int) -> Any:
    """Weights 1, 2, 1 along both axes, so many times; the edge is repeated."""
    import numpy as np

    for _ in range(times):
        padded = np.concatenate([x[:, :1], x, x[:, -1:]], axis=1)
        x = (padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]) * np.float32(0.25)
        padded = np.concatenate([x[:, :, :1], x, x[:, :, -1:]], axis=2)
        x = (padded[:, :, :-2] + 2 * padded[:, :, 1:-1] + padded[:, :, 2:]) * np.float32(0.25)
    return x


def _centres(side: int) -> Any:
    """The pixels' centres, from -1 to 1."""
    import numpy as np

    return ((2 * np.arange(side) + 1) / side - 1).astype(np.float32)


def _laid_over(moving: Any, pose: Any) -> tuple[Any, Any]:
    """`moving` as seen from the template's pixels, and which of these it covers."""
    import numpy as np

    side = moving.shape[1]
    u = _centres(side)
    y, x = (u * (1 + pose[:, i : i + 1]) + pose[:, i + 1 : i + 2] for i in (0, 2))
    rows, columns = (_interpolation((z + 1) / 2 * side - 0.5, side) for z in (y, x))
    covered = (np.abs(y) <= 1)[:, :, None] & (np.abs(x) <= 1)[:, None, :]
    return rows @ moving @ columns.transpose(0, 2, 1), covered


def _interpolation(at: Any, side: int) -> Any:
    """Matrices (n x side x side) that read a line of pixels at the places `at`."""
    import numpy as np

    at = np.clip(at, 0, side - 1)
    left = np.minimum(at.astype(np.int64), side - 2)
    share = (at - left).astype(np.float32)
    out = np.zeros((len(at), side, side), np.float32)
    n, row = np.arange(len(at))[:, None], np.arange(side)[None, :]
    out[n, row, left] = 1 - share
    out[n, row, left + 1] = share
    return out


def _register(template: Any, moving: Any, pose: Any, steps: int) -> Any:
    """Poses under which `moving` lies on the template as well as scale and shift let it."""
    import numpy as np

    slopes, inverse = _slopes(template)
    for _ in range(steps):
        seen, _ = _laid_over(moving, pose)
        told = (slopes @ seen.reshape(len(seen), -1, 1))[:, :, 0]
        fit = np.einsum("nij,nj->ni", inverse, told)
        gain = np.where(np.abs(fit[:, 4:5]) < 0.2, 0.2, fit[:, 4:5])
        step = np.clip(fit[:, :4] / gain, -_STEP, _STEP)
        new = pose.copy()
        for i in (0, 2):  # the pose, undone by what the template would have had to move
            scale = (1 + pose[:, i]) / (1 + step[:, i])
            new[:, i], new[:, i + 1] = scale - 1, pose[:, i + 1] - scale * step[:, i + 1]
        pose = np.clip(new, -_FARTHEST, _FARTHEST)
    return pose


def _slopes(template: Any) -> tuple[Any, Any]:
    """How the template changes with scale and shift along y and x, with gain and offset; and their inverse Gram."""
    import numpy as np

    n, side, _ = template.shape
    u = _centres(side)
    y, x = np.zeros_like(template), np.zeros_like(template)
    y[:, 1:-1] = (template[:, 2:] - template[:, :-2]) * (side / 4)
    x[:, :, 1:-1] = (template[:, :, 2:] - template[:, :, :-2]) * (side / 4)
    inner = np.zeros((side, side), np.float32)
    edge = side // _MARGIN
    inner[edge:-edge, edge:-edge] = 1
    terms = [y * u[None, :, None], y, x * u[None, None, :], x, template, np.ones_like(template)]
    slopes = (np.stack(terms, axis=1) * inner).reshape(n, 6, -1)
    gram = (slopes @ slopes.transpose(0, 2, 1)).astype(np.float64)
    # a picture without detail along an axis leaves its shift open: a touch of ridge keeps it where it is
    ridge = 1e-5 * np.einsum("nii->ni", gram)[:, :, None] + 1e-6
    return slopes, np.linalg.inv(gram + np.eye(6) * ridge)


def _detail(template: Any, moving: Any, pose: Any, fine: int) -> Any:
    """The mean over blocks of the correlation of both pictures' detail; nan where too few blocks hold any.

    Detail is what smoothing takes away: `fine` passes first, against the noise of the encoding and of resampling.
    """
    import numpy as np

    here = _smooth(template, fine)
    there, covered = _laid_over(_smooth(moving, fine), pose)
    a, b = (_blocks(x - _smooth(x, 3)) for x in (here, there))
    whole = _blocks(covered).all(axis=2)
    a, b = (x - x.mean(axis=2, keepdims=True) for x in (a, b))
    spread_a, spread_b = (np.sqrt((x * x).mean(axis=2)) for x in (a, b))
    energy = [np.where(whole, x * x, 0).sum(axis=1) for x in (spread_a, spread_b)]
    gain = np.clip(np.sqrt(energy[1] / np.maximum(energy[0], 1e-6)), 0.3, 3)
    told = whole & (np.maximum(spread_a, spread_b / gain[:, None]) > _FLAT)
    match = (a * b).mean(axis=2) / np.maximum(spread_a * spread_b, 1e-2)
    count = told.sum(axis=1)
    mean = np.where(told, match, 0).sum(axis=1) / np.maximum(count, 1)
    return np.where(count >= _FEWEST_BLOCKS, mean, np.nan).astype(np.float64)


def _blocks(x: Any) -> Any:
    n, side, _ = x.shape
    return (
        x.reshape(n, side // _BLOCK, _BLOCK, side // _BLOCK, _BLOCK).swapaxes(2, 3).reshape(n, -1, _BLOCK**2)
    )
