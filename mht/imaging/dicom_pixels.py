"""The pixel data of a DICOM file: one frame of it, in grey or RGB of 8 bits."""

from __future__ import annotations

import io
import math
from typing import Any

from mht.imaging import codestream, jpeg
from mht.imaging.encode import shrink
from mht.imaging.params import ImagingParams
from mht.imaging.raster import Raster
from mht.imaging.refused import Refused
from mht.imaging.window import window_grey
from mht.records import Reason

_PIXEL_KEYWORDS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
_IMAGE_KEYWORDS = (
    "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation",
    "PlanarConfiguration", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation",
    "PixelPaddingValue", "PixelPaddingRangeLimit", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence",
    "WindowCenter", "WindowWidth", "VOILUTFunction", "VOILUTSequence", "PaletteColorLookupTableUID",
    "RedPaletteColorLookupTableDescriptor", "GreenPaletteColorLookupTableDescriptor",
    "BluePaletteColorLookupTableDescriptor", "RedPaletteColorLookupTableData",
    "GreenPaletteColorLookupTableData", "BluePaletteColorLookupTableData",
    "SegmentedRedPaletteColorLookupTableData", "SegmentedGreenPaletteColorLookupTableData",
    "SegmentedBluePaletteColorLookupTableData", "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence", "ExtendedOffsetTable", "ExtendedOffsetTableLengths",
)  # fmt: skip

_NATIVE = {(True, True): "1.2.840.10008.1.2", (False, True): "1.2.840.10008.1.2.1"}
_BIG_ENDIAN = "1.2.840.10008.1.2.2"
# transfer syntax -> the decoder that pydicom is told to use: one each, so that pixels do not depend on what
# else is installed. JPEG baseline and extended, lossless, JPEG-LS, JPEG 2000, HTJ2K, RLE.
_PLUGINS = {
    "1.2.840.10008.1.2.4.50": "pillow",
    "1.2.840.10008.1.2.4.51": "gdcm",
    "1.2.840.10008.1.2.4.57": "gdcm",
    "1.2.840.10008.1.2.4.70": "gdcm",
    "1.2.840.10008.1.2.4.80": "gdcm",
    "1.2.840.10008.1.2.4.81": "gdcm",
    "1.2.840.10008.1.2.4.90": "pylibjpeg",
    "1.2.840.10008.1.2.4.91": "pylibjpeg",
    "1.2.840.10008.1.2.4.201": "pylibjpeg",
    "1.2.840.10008.1.2.4.202": "pylibjpeg",
    "1.2.840.10008.1.2.4.203": "pylibjpeg",
    "1.2.840.10008.1.2.5": "pydicom",
}
_HUFFMAN_JPEG = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
_JPEG_EXTENDED = "1.2.840.10008.1.2.4.51"  # no decoder here reads its 12-bit form
_RLE = "1.2.840.10008.1.2.5"


def decode_frame(data: bytes, frame: int, params: ImagingParams) -> Raster:
    """Frame `frame` of the file, windowed, resized. Raises Refused, or what pydicom raises on broken data."""
    from pydicom import dcmread

    dataset = dcmread(io.BytesIO(data), force=True, specific_tags=[*_IMAGE_KEYWORDS, *_PIXEL_KEYWORDS])
    present = [keyword for keyword in _PIXEL_KEYWORDS if keyword in dataset]
    if not present:
        raise no_pixels()
    syntax = _transfer_syntax(dataset)
    values, photometric = _decode(dataset, present[0], syntax, frame)
    image = _to_image(values, photometric, dataset, frame, params)
    return Raster(shrink(image, params.side_px), int(dataset.Columns), int(dataset.Rows))


def no_pixels() -> Refused:
    """For a DICOM object that is no image: a report, a plan, a waveform, a header alone."""
    return Refused(Reason.NO_PIXELS, "the DICOM file holds no pixel data. Leave it out.")


def unsupported() -> Refused:
    """For an encoding of pixel data that none of the decoders reads."""
    return Refused(
        Reason.UNSUPPORTED_ENCODING,
        "no decoder is there for the file's transfer syntax or pixel format. Convert it or leave it out.",
    )


def _transfer_syntax(dataset: Any) -> str:
    """What the file says, else what its elements are written in; a dataset without file meta is uncompressed."""
    said = getattr(dataset, "file_meta", {}).get("TransferSyntaxUID")
    if said:
        return str(said)
    return _NATIVE.get(tuple(dataset.original_encoding), _BIG_ENDIAN)


def _decode(dataset: Any, keyword: str, syntax: str, frame: int) -> tuple[Any, str]:
    """The frame's values, rows x columns (x 3), and their photometric interpretation after decoding."""
    from pydicom.pixels.decoders.base import get_decoder

    decoder = get_decoder(syntax)
    if decoder.is_encapsulated:
        if syntax not in _PLUGINS or (syntax == _JPEG_EXTENDED and int(dataset.BitsStored) > 8):
            raise unsupported()
        _check_frame(dataset, syntax, frame)
    else:
        _check_length(dataset, keyword)
    if not hasattr(dataset, "file_meta"):
        from pydicom.dataset import FileMetaDataset

        dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    values, meta = decoder.as_array(dataset, index=frame, decoding_plugin=_PLUGINS.get(syntax, ""))
    return values, str(meta["photometric_interpretation"])


def _check_length(dataset: Any, keyword: str) -> None:
    """Raises Refused(TRUNCATED) where uncompressed pixel data are shorter than the header says."""
    samples = int(dataset.get("SamplesPerPixel") or 1)
    frames = int(dataset.get("NumberOfFrames") or 1)
    bits = int(dataset.Rows) * int(dataset.Columns) * samples * int(dataset.BitsAllocated) * frames
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422":
        bits = bits * 2 // 3
    have, need = len(dataset[keyword].value or b""), math.ceil(bits / 8)
    if have < need:
        raise Refused(
            Reason.TRUNCATED, f"{have:,} of {need:,} bytes of pixel data are there. Fetch the file again."
        )


def _check_frame(dataset: Any, syntax: str, frame: int) -> None:
    """Holds a compressed frame's own header against the file's; raises Refused where it is cut or lies."""
    from pydicom.encaps import get_frame

    frames = int(dataset.get("NumberOfFrames") or 1)
    data = get_frame(dataset.PixelData, frame, number_of_frames=frames)
    if syntax == _RLE:
        return
    if syntax in _HUFFMAN_JPEG:
        jpeg.find_end(data)
    elif b"\xff\xd9" not in data[-64:]:
        raise Refused(Reason.TRUNCATED, "a compressed frame ends before its end marker. Fetch it again.")
    if codestream.size(data) != (int(dataset.Columns), int(dataset.Rows)):
        raise Refused(Reason.CORRUPT, "a compressed frame has another size than the file's header.")


def _to_image(values: Any, photometric: str, dataset: Any, frame: int, params: ImagingParams) -> Any:
    """An "L" or "RGB" image of the values."""
    import numpy as np
    import PIL.Image

    if photometric == "PALETTE COLOR":
        return PIL.Image.fromarray(_colour(values, dataset))
    if values.ndim == 2:
        grey = window_grey(values, dataset, frame, params.window)
        if photometric == "MONOCHROME1":
            grey = np.subtract(255, grey, dtype=np.uint8)
        return PIL.Image.fromarray(grey)
    if values.ndim != 3 or values.shape[2] != 3:
        raise unsupported()
    return PIL.Image.fromarray(_eight_bits(values, int(dataset.BitsStored)))


def _colour(values: Any, dataset: Any) -> Any:
    """Palette indices to RGB, by a table of the palette's colours."""
    import numpy as np
    from pydicom.pixels.processing import apply_color_lut

    indices = np.arange(int(values.max()) + 1, dtype=values.dtype)
    table = apply_color_lut(indices.reshape(1, -1), dataset)[0, :, :3]
    return _eight_bits(table, 8 * table.dtype.itemsize)[values]


def _eight_bits(values: Any, bits: int) -> Any:
    import numpy as np

    return (values >> max(0, bits - 8)).astype(np.uint8)
