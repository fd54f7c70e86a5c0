"""From a scene to pixels, and from pixels to a file."""

from __future__ import annotations

import io

from PIL import Image

from mht.phantoms.canvas import Pixels
from mht.phantoms.scene import Scene, kind_module


def render(scene: Scene, side_px: int) -> Pixels:
    """The picture of a scene, uint8: (side_px, side_px) grey, or (side_px, side_px, 3) RGB for colour kinds."""
    pixels: Pixels = kind_module(scene.kind, "drawing").paint(scene, side_px)
    return pixels


def encode(pixels: Pixels, quality: int = 90) -> bytes:
    """The picture as a JPEG file."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=quality)
    return out.getvalue()
