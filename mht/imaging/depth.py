"""Grey values of more than 8 bits to 8, scaled and never clipped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mht.imaging.refused import Refused
from mht.records import Reason

if TYPE_CHECKING:
    from PIL.Image import Image

_BLOCK_ROWS = 256  # float copies are made of so many rows at a time: a 64 M px image stays under 1 GiB


def to_grey(image: Image) -> Image:
    """An "I;16", "I" or "F" image as "L".

    Unsigned 16 bit is scaled from the smallest whole number of bits (8 to 16) that holds the brightest pixel,
    so that 12-bit data in a 16-bit file is not black and zero stays zero. 32-bit integers and floats are
    scaled from their smallest to their largest value. Raises Refused(NOT_FINITE) for NaN and infinity.
    """
    import numpy as np
    import PIL.Image

    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        bits = max(8, int(values.max()).bit_length())
        return PIL.Image.fromarray(scale(values, 0, (1 << bits) - 1))
    low, high = finite_range(values)
    return PIL.Image.fromarray(scale(values, low, high))


def finite_range(values: Any) -> tuple[float, float]:
    """The smallest and the largest value; raises Refused(NOT_FINITE) where one is NaN or infinite."""
    import numpy as np

    low, high = float(values.min()), float(values.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise Refused(
            Reason.NOT_FINITE, "the image holds values that are NaN or infinite. Leave the file out."
        )
    return low, high


def scale(values: Any, low: float, high: float) -> Any:
    """A uint8 array: `low` and below to 0, `high` and above to 255; all 0 where the two meet."""
    import numpy as np

    out = np.zeros(values.shape, np.uint8)
    if high <= low:
        return out
    for top in range(0, len(values), _BLOCK_ROWS):
        block = values[top : top + _BLOCK_ROWS].astype(np.float64)
        block -= low
        block *= 255.0 / (high - low)
        out[top : top + _BLOCK_ROWS] = np.clip(np.rint(block), 0, 255)
    return out
