"""DICOM files: what is read of them, in which order, and what is kept. Pixels are `dicom_pixels`' business.

The header comes first, up to the image module and only the elements named here; size, frames and policy are
decided on it before a byte of pixel data is looked at. A file without preamble is accepted where it opens
with an element of group 0002 or 0008 (see `formats`). Of all values, five short codes leave this module.
"""

from __future__ import annotations

import io
import logging
import re
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mht.imaging import dicom_pixels, terms
from mht.imaging.params import ImagingParams
from mht.imaging.raster import DECODER_ERRORS, Raster
from mht.imaging.refused import Refused, check_size, pick_frame
from mht.records import Reason

_IMAGE_GROUP = 0x0028
_META_GROUP = 0x0002
_DIRECTORY_CLASS = "1.2.840.10008.1.3.10"
_DEFLATED = "1.2.840.10008.1.2.1.99"
_EXPLICIT_LITTLE = "1.2.840.10008.1.2.1"
# a file meta group that says explicit little endian and nothing more
_PLAIN_META = bytes(128) + b"DICM" + b"\x02\x00\x10\x00UI\x14\x00" + _EXPLICIT_LITTLE.encode() + b"\x00"

_HEADER = (
    "Modality", "BodyPartExamined", "ViewPosition", "Laterality", "ImageLaterality", "BurnedInAnnotation",
    "DirectoryRecordSequence", "Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "BitsAllocated",
)  # fmt: skip
# a code string as the standard has it, in the shape in which it may leave
_CODE = re.compile(r"[A-Z0-9 _-]{1,16}")
_SIDES = frozenset("LRBU")


def decode_dicom(data: bytes, params: ImagingParams) -> tuple[Raster, dict[str, str | None]]:
    """The frame that the policy picks, windowed to 8 bits, and the codes kept: modality, body_part, view,
    laterality. Raises Refused with the reason where the file cannot or may not be used.
    """
    with _quiet():
        try:
            return _decode(data, params)
        except RecursionError as error:
            raise Refused(Reason.CORRUPT, "the DICOM file nests its sequences too deeply.") from error
        except NotImplementedError as error:
            raise dicom_pixels.unsupported() from error
        except EOFError as error:
            raise Refused(
                Reason.TRUNCATED, "the DICOM file ends within an element. Fetch it again."
            ) from error
        except _errors() as error:
            detail = f"the DICOM file cannot be decoded ({type(error).__name__})."
            raise Refused(Reason.CORRUPT, detail) from error


def _decode(data: bytes, params: ImagingParams) -> tuple[Raster, dict[str, str | None]]:
    from pydicom.filereader import read_partial
    from pydicom.tag import Tag

    data = _inflate(data, params)
    tags: list[Any] = [Tag(keyword) for keyword in _HEADER]
    header = read_partial(io.BytesIO(data), _past_image_module, force=True, specific_tags=tags)
    frame = _admit(header, params)
    return dicom_pixels.decode_frame(data, frame, params), _codes(header)


def _past_image_module(tag: Any, vr: str | None, length: int) -> bool:
    return bool(tag.group > _IMAGE_GROUP)


def _admit(header: Any, params: ImagingParams) -> int:
    """The index of the frame to decode; raises Refused for what the header alone rules out."""
    meta = getattr(header, "file_meta", {})
    is_directory = meta.get("MediaStorageSOPClassUID") == _DIRECTORY_CLASS
    if is_directory or "DirectoryRecordSequence" in header:
        raise Refused(Reason.NO_PIXELS, "the file is a DICOMDIR, a list of other files. Leave it out.")
    if "Rows" not in header or "Columns" not in header:
        raise dicom_pixels.no_pixels()
    rows, columns = int(header.Rows), int(header.Columns)
    frames = int(header.get("NumberOfFrames") or 1)
    if rows < 1 or columns < 1 or frames < 1:
        raise Refused(Reason.CORRUPT, "the DICOM header gives a size of zero.")
    check_size(columns, rows, params)
    frame = pick_frame(frames, params)
    if _code(header, "BurnedInAnnotation") == "YES" and params.burned_in == "refuse":
        detail = "BurnedInAnnotation is YES. Clean the pixels, or set imaging.burned_in=accept."
        raise Refused(Reason.BURNED_IN_ANNOTATION, detail)
    return frame


def _codes(header: Any) -> dict[str, str | None]:
    side = _code(header, "ImageLaterality") or _code(header, "Laterality")
    return {
        "modality": _term(header, "Modality", terms.MODALITIES),
        "body_part": _term(header, "BodyPartExamined", terms.BODY_PARTS),
        "view": _term(header, "ViewPosition", terms.VIEWS),
        "laterality": side if side in _SIDES else None,
    }


def _term(header: Any, keyword: str, known: frozenset[str]) -> str | None:
    """An element's value where it is one of the standard's own terms, spaces aside."""
    code = (_code(header, keyword) or "").replace(" ", "").replace("_", "")
    return code if code in known else None


def _code(header: Any, keyword: str) -> str | None:
    """An element's value where it has the shape of a code, None otherwise: free text never leaves."""
    try:
        value = header.get(keyword)
    except _errors():
        return None
    text = value.strip().upper() if isinstance(value, str) else ""
    return text if _CODE.fullmatch(text) else None


def _inflate(data: bytes, params: ImagingParams) -> bytes:
    """The file as it is; where its dataset is deflated, inflated to `max_bytes` at the most."""
    from pydicom.filereader import read_dataset

    if data[128:132] != b"DICM":
        return data
    file = io.BytesIO(data)
    file.seek(132)
    meta = read_dataset(file, False, True, stop_when=_past_meta)
    if meta.get("TransferSyntaxUID") != _DEFLATED:
        return data
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    dataset = inflater.decompress(file.read(), params.max_bytes)
    if inflater.unconsumed_tail:
        raise Refused(
            Reason.TOO_MANY_BYTES,
            f"the deflated dataset inflates past {params.max_bytes:,} bytes. "
            "Raise imaging.max_bytes or leave the file out.",
        )
    if not inflater.eof:
        raise Refused(Reason.TRUNCATED, "the deflated dataset ends early. Fetch it again.")
    return _PLAIN_META + dataset


def _past_meta(tag: Any, vr: str | None, length: int) -> bool:
    return bool(tag.group != _META_GROUP)


def _errors() -> tuple[type[Exception], ...]:
    from pydicom.errors import BytesLengthException, InvalidDicomError

    return (*DECODER_ERRORS, BytesLengthException, InvalidDicomError)


@contextmanager
def _quiet() -> Iterator[None]:
    """No warning and no log line of pydicom gets out (they quote values), and no value is validated."""
    from pydicom import config

    logger = logging.getLogger("pydicom")
    mode, silent = config.settings.reading_validation_mode, logger.disabled
    config.settings.reading_validation_mode = config.IGNORE
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        config.settings.reading_validation_mode = mode
        logger.disabled = silent
