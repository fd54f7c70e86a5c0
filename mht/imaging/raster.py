"""JPEG, PNG and TIFF to a small image of 8 bits, through Pillow and none of its other formats."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mht.imaging import codestream, depth, jpeg, png, tiff
from mht.imaging.encode import fit, shrink
from mht.imaging.params import ImagingParams
from mht.imaging.refused import Refused, check_size, pick_frame
from mht.records import Reason

if TYPE_CHECKING:
    from PIL.Image import Image

_DEEP = frozenset(("I;16", "I;16L", "I;16B", "I", "F"))
_TAIL_PX = 2  # at a scale of 1/8, the smallest that draft mode has, an 8 x 8 block is one pixel
_MID_GREY = (128, (128, 128, 128))
_PADDING = bytes(range(1, 255)) * 2  # entropy-coded data in which no FF stands

# What Pillow's plug-ins are known to raise on bytes that lie. MemoryError is not among them: it has its own
# reason.
DECODER_ERRORS = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    OverflowError,
    ZeroDivisionError,
    EOFError,
    RuntimeError,
    struct.error,
    zlib.error,
)


@dataclass(frozen=True, slots=True)
class Raster:
    """A decoded image, "L" or "RGB", at its output size, with the size that the file has, upright."""

    image: Image
    source_width_px: int
    source_height_px: int


def decode_raster(data: bytes, kind: str, params: ImagingParams) -> Raster:
    """Decodes a file of `kind` JPEG, PNG or TIFF; raises Refused with the reason where it cannot."""
    if kind == "JPEG":
        data = data[: jpeg.find_end(data)]
        check_size(*codestream.size(data), params)
    elif kind == "PNG":
        check_size(*png.header_size(data), params)
        png.check_chunks(data)
    frames = tiff.count_pages(data) if kind == "TIFF" else 1
    with _pixel_limit(params.max_pixels):
        try:
            return _decode(data, kind, frames, params)
        except DECODER_ERRORS as error:
            raise _name(error, kind) from error


def _decode(data: bytes, kind: str, frames: int, params: ImagingParams) -> Raster:
    from PIL import Image

    image = Image.open(io.BytesIO(data), formats=[kind])
    width, height = image.size
    check_size(width, height, params)
    frames = max(frames, getattr(image, "n_frames", 1) if kind == "PNG" else 1)
    frame = pick_frame(frames, params)
    if frame:
        image.seek(frame)
        width, height = image.size
        check_size(width, height, params)
    turn = _orientation(image)
    if kind == "JPEG":
        image.draft(None, fit(width, height, params.side_px))
    image.load()
    if kind == "JPEG":
        _check_tail(image, data, params)
    elif kind == "PNG" and not image.crop((0, image.height - 1, *image.size)).tobytes().strip(b"\0"):
        png.check_rows(data)
    small = _upright(_flatten(image, params.side_px), turn)
    return Raster(small, *((height, width) if turn >= 5 else (width, height)))


def _orientation(image: Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where it is absent or unreadable. A TIFF turns itself as it loads."""
    if image.format == "TIFF":
        return 1
    try:
        turn = image.getexif().get(0x0112, 1)
    except DECODER_ERRORS:
        return 1
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _upright(image: Image, turn: int) -> Image:
    from PIL.Image import Transpose

    moves = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    return image.transpose(moves[turn]) if turn in moves else image


def _flatten(image: Image, side_px: int) -> Image:
    """The image resized, 8 bits, grey where the file is grey and else RGB; white shows where it is clear."""
    if image.mode in _DEEP:
        return shrink(depth.to_grey(image), side_px)
    if image.mode in ("1", "L"):
        return shrink(image if image.mode == "L" else image.convert("L"), side_px)
    if image.mode in ("LA", "La") or (image.mode == "L" and "transparency" in image.info):
        return _over_white(shrink(image.convert("LA"), side_px), "L")
    if image.mode in ("RGBA", "PA", "RGBa") or "transparency" in image.info:
        return _over_white(shrink(image.convert("RGBA"), side_px), "RGB")
    if image.mode == "CMYK":
        return shrink(image, side_px).convert("RGB")
    return shrink(image if image.mode == "RGB" else image.convert("RGB"), side_px)


def _over_white(image: Image, mode: str) -> Image:
    import PIL.Image

    page = PIL.Image.new(mode, image.size, "white")
    page.paste(image.convert(mode), mask=image.getchannel("A"))
    return page


def _check_tail(image: Image, data: bytes, params: ImagingParams) -> None:
    """Raises Refused(TRUNCATED) where the scan ran dry before the last block and libjpeg filled in grey.

    The filling is exactly mid-grey. Where the last block is, the file is decoded once more with bytes put in
    front of the end marker: a whole scan does not read them, one that ran dry does, and looks different.
    """
    import PIL.Image

    width, height = image.size
    if image.mode not in ("L", "RGB") or image.getpixel((width - 1, height - 1)) not in _MID_GREY:
        return
    last = (max(0, width - _TAIL_PX), max(0, height - _TAIL_PX), width, height)
    if set(image.crop(last).tobytes()) != {128}:
        return
    padded = PIL.Image.open(io.BytesIO(data[:-2] + _PADDING + data[-2:]), formats=["JPEG"])
    padded.draft(None, fit(*padded.size, params.side_px))
    padded.load()
    if padded.tobytes() != image.tobytes():
        raise Refused(Reason.TRUNCATED, "the JPEG's scan ends before its last block. Fetch it again.")


@contextmanager
def _pixel_limit(max_pixels: int) -> Iterator[None]:
    """Pillow's own limit set to ours, its bomb warning an error, its other warnings silent."""
    from PIL import Image

    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        detail = (
            f"the header asks for over {max_pixels:,} px. Raise imaging.max_pixels or leave the file out."
        )
        raise Refused(Reason.TOO_MANY_PIXELS, detail) from error
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _name(error: Exception, kind: str) -> Refused:
    """The reason for what a decoder raised. Its message stays inside: it may quote the file."""
    text = str(error).lower()
    if "truncated" in text or "not enough" in text or isinstance(error, EOFError):
        return Refused(Reason.TRUNCATED, f"the {kind} ends before its pixels do. Fetch it again.")
    if "decompressed data too large" in text or "too much memory used in text" in text:
        return Refused(Reason.CORRUPT, f"a text or profile in the {kind} inflates past 1 MiB.")
    return Refused(Reason.CORRUPT, f"the {kind} cannot be decoded ({type(error).__name__}).")
