"""Untrusted bytes to a normalised image or a refusal: what the guarded child runs, pure and on its own."""

from __future__ import annotations

import hashlib

from mht.imaging.encode import RAW, encode
from mht.imaging.formats import ALLOWED, sniff
from mht.imaging.hashes import HASH_BYTES, hash_of, thumbnail
from mht.imaging.likeness import THUMBNAIL_BYTES
from mht.imaging.params import ImagingParams, WholeParams
from mht.imaging.raster import Raster, decode_raster
from mht.imaging.refused import Refused, check_bytes
from mht.records import NormalisedImage, Reason, Refusal


def normalise(data: bytes, params: ImagingParams) -> NormalisedImage | Refusal:
    """Decodes, resizes, hashes and encodes one image; never raises for what the bytes hold but MemoryError.

    It changes Pillow's global pixel limit while it runs, so one thread of a process calls it at a time. Call
    it through `guard.DecoderGuard` unless the bytes are your own: decoders crash, hang and eat memory.
    """
    try:
        return _normalise(data, params)
    except Refused as refused:
        return refused.refusal


def _normalise(data: bytes, params: ImagingParams) -> NormalisedImage:
    check_bytes(len(data), params)
    kind = _recognise(data)
    tags: dict[str, str | None] = {}
    if kind == "DICOM":
        from mht.imaging.dicom import decode_dicom

        raster, tags = decode_dicom(data, params)
    else:
        raster = decode_raster(data, kind, params)
    return _finish(data, kind, raster, tags, params)


def _recognise(data: bytes) -> str:
    kind = sniff(data)
    if kind is None or kind == "markup":
        found = "an HTML or XML text" if kind else "no image format that is known"
        raise Refused(Reason.NOT_AN_IMAGE, f"the bytes are {found}. Look at what the source delivers.")
    if kind not in ALLOWED:
        raise Refused(
            Reason.FORMAT_NOT_ALLOWED,
            f"the file is {kind}; {', '.join(ALLOWED)} are read. Convert it or leave it out.",
        )
    return kind


def _finish(
    data: bytes, kind: str, raster: Raster, tags: dict[str, str | None], params: ImagingParams
) -> NormalisedImage:
    image = raster.image
    # Nobody compares what is only looked at by a model.
    small = bytes(THUMBNAIL_BYTES) if isinstance(params, WholeParams) else thumbnail(image)
    return NormalisedImage(
        data=encode(image, params),
        format=RAW if isinstance(params, WholeParams) else params.encoding,
        width_px=image.width,
        height_px=image.height,
        source_width_px=raster.source_width_px,
        source_height_px=raster.source_height_px,
        source_format=kind.lower(),
        source_sha256=hashlib.sha256(data).hexdigest(),
        pixel_hash=bytes(HASH_BYTES) if isinstance(params, WholeParams) else hash_of(small),
        thumbnail=small,
        **tags,
    )
