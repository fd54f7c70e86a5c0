"""From pixels of 8 bits to the bytes that are kept: resized, without metadata, the same on every machine."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from mht.imaging.params import ImagingParams, WholeParams
from mht.imaging.resample import MODES, resample

if TYPE_CHECKING:
    from PIL.Image import Image

RAW = "raw"
"""The form of pixels that are not encoded: row by row, one byte a pixel where they are grey and else three."""


def fit(width: int, height: int, side_px: int) -> tuple[int, int]:
    """The size (px) with its longest side at `side_px` at the most and its aspect kept; never enlarged."""
    longest = max(width, height)
    if longest <= side_px:
        return width, height
    return max(1, round(width * side_px / longest)), max(1, round(height * side_px / longest))


def shrink(image: Image, side_px: int) -> Image:
    """The image at `fit`'s size, by Catmull-Rom's filter; box-reduced first to twice that where it is much larger."""
    from PIL.Image import Resampling

    size = fit(*image.size, side_px)
    if size == image.size:
        return image
    if image.mode in MODES:
        return resample(image, size)
    return image.resize(size, Resampling.BICUBIC, reducing_gap=2.0)


def encode(image: Image, params: ImagingParams) -> bytes:
    """An "L" or "RGB" image as JPEG (4:4:4, so that thin coloured marks keep their edge), PNG or raw."""
    if isinstance(params, WholeParams):
        return image.tobytes()
    image.info = {}  # the encoders would write comments, ICC profiles and EXIF found here
    buffer = io.BytesIO()
    if params.encoding == "png":
        image.save(buffer, "PNG", compress_level=6)
    else:
        image.save(buffer, "JPEG", quality=params.jpeg_quality, subsampling=0)
    return buffer.getvalue()
