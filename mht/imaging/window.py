"""Stored DICOM values to grey of 8 bits: rescaled, then through the file's window, else the full range.

Source: DICOM PS3.3 C.11.1 (modality LUT), C.11.2 (VOI LUT, linear, linear exact and sigmoid windows).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from mht.imaging.depth import finite_range
from mht.imaging.refused import Refused
from mht.records import Reason

Curve = Callable[[Any], Any]
_BLOCK_ROWS = 256


def window_grey(values: Any, dataset: Any, frame: int, window: Literal["file", "full"]) -> Any:
    """A uint8 array of the shape of `values` (rows x columns).

    Values of at most 16 bits go through a table, others are computed. A window of the file whose width is not
    positive counts as absent. Padding is left out of the full range and comes out as 0.
    """
    import numpy as np

    rescale = _rescaling(dataset, frame)
    display = _window(dataset, frame, values.dtype.kind == "f") if window == "file" else None
    padding = _padding(values, dataset)
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2:
        return _by_table(values, rescale, display, padding)
    low, high = finite_range(values)
    if display is None:
        ends = rescale(np.array([low, high], np.float64))
        display = _full_range(*finite_range(ends))
    out = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BLOCK_ROWS):
        block = values[top : top + _BLOCK_ROWS].astype(np.float64)
        out[top : top + _BLOCK_ROWS] = _to_bytes(display(rescale(block)))
    return out


def _by_table(values: Any, rescale: Curve, display: Curve | None, padding: tuple[int, int] | None) -> Any:
    """One grey for every value between the smallest and the largest, then a look-up."""
    import numpy as np

    low, high = int(values.min()), int(values.max())
    stored = np.arange(low, high + 1, dtype=np.float64)
    rescaled = rescale(stored)
    is_padding = np.zeros(stored.shape, bool)
    if padding is not None:
        is_padding = (stored >= padding[0]) & (stored <= padding[1])
    if display is None:
        kept = rescaled[~is_padding]
        if padding is not None:
            present = np.bincount(np.subtract(values, low, dtype=np.int64).ravel(), minlength=stored.size) > 0
            kept = rescaled[~is_padding & present]
        display = _full_range(*finite_range(kept if kept.size else rescaled))
    table = _to_bytes(display(rescaled))
    table[is_padding] = 0
    out = np.empty(values.shape, np.uint8)
    for top in range(0, len(values), _BLOCK_ROWS):
        out[top : top + _BLOCK_ROWS] = table[values[top : top + _BLOCK_ROWS].astype(np.int32) - low]
    return out


def _padding(values: Any, dataset: Any) -> tuple[int, int] | None:
    """The stored values, both ends included, that stand for no measurement; None where there are none."""
    first = dataset.get("PixelPaddingValue")
    if not isinstance(first, int) or values.dtype.kind not in "iu":
        return None
    last = dataset.get("PixelPaddingRangeLimit")
    last = last if isinstance(last, int) else first
    return min(first, last), max(first, last)


def _rescaling(dataset: Any, frame: int) -> Curve:
    """Stored values to the modality's units (for CT Hounsfield units), by table or slope and intercept."""
    import numpy as np

    group = _group(dataset, frame, "PixelValueTransformationSequence")
    if "ModalityLUTSequence" in dataset:
        first, table, _ = _lut(dataset.ModalityLUTSequence[0])
        return lambda values: table[np.clip(values - first, 0, len(table) - 1).astype(np.int64)]
    slope, intercept = _number(group, "RescaleSlope", 1.0), _number(group, "RescaleIntercept", 0.0)
    return lambda values: values * slope + intercept


def _window(dataset: Any, frame: int, is_float: bool) -> Curve | None:
    """The first window that the file gives, as a map to 0 .. 1; a VOI LUT goes before centre and width.

    The standard's LINEAR takes one off the width, which is meant for whole numbers: floats get LINEAR_EXACT.
    """
    group = _group(dataset, frame, "FrameVOILUTSequence")
    if "VOILUTSequence" in group:
        return _voi_lut(group)
    centre, width = _number(group, "WindowCenter", None), _number(group, "WindowWidth", None)
    if centre is None or width is None:
        return None
    kind = str(group.get("VOILUTFunction") or "LINEAR").upper()
    if kind == "SIGMOID" and width > 0:
        return _sigmoid(centre, width)
    if (kind == "LINEAR_EXACT" or is_float) and width > 0:
        return _ramp(centre - width / 2, centre + width / 2)
    if width >= 1:
        return _ramp(centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2)
    return None


def _voi_lut(group: Any) -> Curve:
    import numpy as np

    first, table, bits = _lut(group.VOILUTSequence[0])
    top = float((1 << bits) - 1)
    return lambda values: table[np.clip(np.rint(values) - first, 0, len(table) - 1).astype(np.int64)] / top


def _ramp(low: float, high: float) -> Curve:
    """0 up to `low`, 1 from `high`, straight between; a step where the two meet."""
    import numpy as np

    if high <= low:
        return lambda values: (values > low).astype(np.float64)
    return lambda values: (values - low) / (high - low)


def _sigmoid(centre: float, width: float) -> Curve:
    import numpy as np

    return lambda values: 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - centre) / width, -700.0, 700.0)))


def _full_range(low: float, high: float) -> Curve:
    """Smallest to largest; all black where there is only one value."""
    low, high = min(low, high), max(low, high)
    return (lambda values: values * 0.0) if low == high else _ramp(low, high)


def _to_bytes(shares: Any) -> Any:
    """Shares of 0 .. 1 to uint8, what lies outside held at the ends. Raises Refused for NaN."""
    import numpy as np

    if np.isnan(shares).any():
        raise Refused(Reason.NOT_FINITE, "the file's rescaling gives no numbers. Leave it out.")
    return np.rint(np.clip(shares, 0.0, 1.0) * 255.0).astype(np.uint8)


def _group(dataset: Any, frame: int, keyword: str) -> Any:
    """Where a multi-frame file keeps the frame's own values, else those of all frames, else itself."""
    for sequence, index in (
        ("PerFrameFunctionalGroupsSequence", frame),
        ("SharedFunctionalGroupsSequence", 0),
    ):
        items = dataset.get(sequence) or ()
        if index < len(items) and items[index].get(keyword):
            return items[index][keyword].value[0]
    return dataset


def _number(group: Any, keyword: str, absent: Any) -> Any:
    """The element's value, or its first, as a float."""
    value = group.get(keyword)
    if isinstance(value, (list, tuple)) or type(value).__name__ == "MultiValue":
        value = value[0] if len(value) else None
    return absent if value is None or value == "" else float(value)


def _lut(item: Any) -> tuple[float, Any, int]:
    """A look-up table's first mapped value, its entries and their bits; 0 entries stand for 65,536."""
    import numpy as np

    entries, first, bits = (int(number) for number in item.LUTDescriptor)
    data = item.LUTData
    table = np.frombuffer(data, "<u2") if isinstance(data, bytes) else np.asarray(data, np.float64)
    table = np.asarray(table, np.float64)[: entries or 65_536]
    if not table.size or not 1 <= bits <= 16:
        raise Refused(Reason.CORRUPT, "a look-up table of the DICOM file is empty or of no known depth.")
    return float(first), table, bits
