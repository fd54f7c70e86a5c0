"""Pictures that look alike as radiographs of one projection do: the same outline, another detail for every number."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter
from PIL.Image import Resampling

Disguise = Callable[[Image.Image], Image.Image]


@lru_cache(maxsize=256)
def radiograph(number: int, width: int = 320, height: int = 288) -> Image.Image:
    """One outline, in which vessels, ribs and a few shadows lie as the number says; the outline shifts a little."""
    rng = np.random.default_rng(number)
    image = Image.new("L", (width, height), 20)
    draw = ImageDraw.Draw(image)
    at = rng.normal(0, 0.006, 4)

    def box(*edges: float) -> list[float]:
        return [side * (edge + d) for edge, d, side in zip(edges, at, (width, height) * 2, strict=True)]

    draw.ellipse(box(0.05, 0.02, 0.95, 1.2), fill=150)
    for left in (0.14, 0.54):
        draw.ellipse(box(left, 0.15, left + 0.32, 0.85), fill=60)
    draw.ellipse(box(0.42, 0.45, 0.72, 0.85), fill=190)
    for _ in range(60):
        x, y = rng.uniform(0.12, 0.88) * width, rng.uniform(0.12, 0.88) * height
        length, turn = rng.uniform(8, 60), rng.uniform(0, np.pi)
        end = x + length * np.cos(turn), y + length * np.sin(turn)
        draw.line([x, y, *end], fill=int(rng.integers(70, 170)), width=int(rng.integers(2, 5)))
    for _ in range(6):
        x, y, r = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height, rng.uniform(5, 18)
        draw.ellipse([x - r, y - r, x + r, y + r], fill=int(rng.integers(60, 200)))
    soft = np.asarray(image.filter(ImageFilter.GaussianBlur(1.2)), np.float64)
    return Image.fromarray((soft + rng.normal(0, 2, soft.shape)).clip(0, 255).astype(np.uint8))


def scaled(image: Image.Image, factor: float) -> Image.Image:
    size = (round(image.width * factor), round(image.height * factor))
    return image.resize(size, Resampling.BICUBIC)


def as_jpeg(image: Image.Image, quality: int = 50) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    with Image.open(io.BytesIO(buffer.getvalue())) as again:
        return again.copy()


def cut(image: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    """Without these shares of its width and height."""
    edges = (left, top, 1 - right, 1 - bottom)
    return image.crop(tuple(round(e * s) for e, s in zip(edges, image.size * 2, strict=True)))  # type: ignore[arg-type]


DISGUISES: dict[str, Disguise] = {
    "none": lambda image: image,
    "half": lambda image: scaled(image, 0.5),
    "third": lambda image: scaled(image, 0.33),
    "double": lambda image: scaled(image, 2),
    "jpeg": as_jpeg,
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.8),
    "contrast": lambda image: ImageEnhance.Contrast(image).enhance(1.3),
    "rim": lambda image: cut(image, 0.05, 0.05, 0.05, 0.05),
    "left": lambda image: cut(image, 0.05, 0, 0, 0),
    "top": lambda image: cut(image, 0, 0.05, 0, 0),
    "right": lambda image: cut(image, 0, 0, 0.05, 0),
    "bottom": lambda image: cut(image, 0, 0, 0, 0.05),
    "corner": lambda image: cut(image, 0.05, 0.05, 0, 0),
    "half, jpeg, darker": lambda image: ImageEnhance.Brightness(as_jpeg(scaled(image, 0.5))).enhance(0.8),
    "rim, jpeg, brighter": lambda image: ImageEnhance.Brightness(
        as_jpeg(cut(image, 0.05, 0.05, 0.05, 0.05))
    ).enhance(1.2),
    "left, third, jpeg": lambda image: as_jpeg(scaled(cut(image, 0.05, 0, 0, 0), 0.33)),
}
