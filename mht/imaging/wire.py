"""What the guard and its child say to each other: two shared buffers and short lines on two pipes.

::

    input buffer    table (offset, length) of 16 bytes an image, then the images' bytes    guard -> child
    output buffer   one slot an image: a JSON header of at most 4 KiB, the thumbnail of 4 KiB,
                    then the encoded image                                                 child -> guard
    stdin           [first, count]                       decode these images of the table
    stdout          "ready", once; [index, header bytes, image bytes] for each image, in order

The lines are small and the bytes lie in buffers that nobody has to read in time, so neither side can block
the other. What the child says is checked here: a child that an image has taken over may lie, but only within
bounds.
"""

from __future__ import annotations

import json
import mmap
import os
import struct
import tempfile
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from mht.imaging.encode import RAW
from mht.imaging.likeness import THUMBNAIL_BYTES
from mht.imaging.params import ImagingParams, WholeParams
from mht.records import NormalisedImage, Reason, Refusal

READY = b'"ready"'
HEADER_BYTES = 4096
IMAGE_AT = HEADER_BYTES + THUMBNAIL_BYTES
LINE_BYTES = 128
_TABLE_ENTRY = struct.Struct("<QQ")
_MOST_BUFFERS = 512  # under IOV_MAX (1024) everywhere
_MAGIC = {"jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n"}

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9 _-]{1,16}$")]
Side = Annotated[int, Field(ge=1, le=65_535)]


class WireError(Exception):
    """The child said something that it cannot have meant."""


class Settings(BaseModel):
    """The child's one argument: its file descriptors, the size of a slot and what it is to do."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input_fd: int
    output_fd: int
    lifeline_fd: int
    slot_bytes: int
    die_with_parent: bool
    params: WholeParams | ImagingParams


class _Image(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    width_px: Side
    height_px: Side
    source_width_px: Side
    source_height_px: Side
    source_format: Literal["jpeg", "png", "tiff", "dicom"]
    source_sha256: Digest
    pixel_hash: Digest
    modality: Code | None
    body_part: Code | None
    view: Code | None
    laterality: Code | None


class _Refused(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    reason: Reason
    detail: Annotated[str, StringConstraints(pattern=r"^[ -~]{1,400}$")]


def slot_bytes(params: ImagingParams) -> int:
    """The room for one image with its header: over twice its pixels encoded, once where they are not, in whole pages.

    The buffer is sparse, so what is not written costs nothing.
    """
    pixels = 3 * params.max_pixels if isinstance(params, WholeParams) else 6 * params.side_px**2
    room = IMAGE_AT + 64 * 1024 + pixels
    return -(-room // mmap.ALLOCATIONGRANULARITY) * mmap.ALLOCATIONGRANULARITY


def open_buffer(name: str) -> int:
    """A descriptor of memory without a name on disk; of a deleted temporary file where there is no memfd."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create(f"mht-{name}", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:  # macOS
        return os.dup(file.fileno())


def write_batch(fd: int, images: Sequence[bytes]) -> None:
    """The table and the images' bytes, from the buffer's beginning."""
    entries = []
    at = _TABLE_ENTRY.size * len(images)
    for image in images:
        entries.append(_TABLE_ENTRY.pack(at, len(image)))
        at += len(image)
    buffers = [memoryview(b"".join(entries)), *(memoryview(image) for image in images if image)]
    at = 0
    while buffers:
        written = os.pwritev(fd, buffers[:_MOST_BUFFERS], at)
        at += written
        while buffers and written >= len(buffers[0]):
            written -= len(buffers.pop(0))
        if written:
            buffers[0] = buffers[0][written:]


def read_source(fd: int, index: int) -> bytes:
    """The bytes of the batch's image `index`."""
    at, length = _TABLE_ENTRY.unpack(os.pread(fd, _TABLE_ENTRY.size, index * _TABLE_ENTRY.size))
    return os.pread(fd, length, at)


def write_result(fd: int, index: int, slot: int, result: NormalisedImage | Refusal) -> bytes:
    """Puts a result into its slot, by a mapping as the child may not write files; returns the line to say."""
    header, data = _pack(result)
    if IMAGE_AT + len(data) > slot:
        header, data = _pack(Refusal(Reason.TOO_MANY_BYTES, "the encoded image does not fit its slot."))
    small = result.thumbnail if isinstance(result, NormalisedImage) and data else None
    with mmap.mmap(fd, IMAGE_AT + len(data), offset=index * slot) as view:
        view[: len(header)] = header
        view[HEADER_BYTES:IMAGE_AT] = small or bytes(THUMBNAIL_BYTES)
        view[IMAGE_AT : IMAGE_AT + len(data)] = data
    return b"[%d,%d,%d]\n" % (index, len(header), len(data))


def read_result(
    fd: int, line: tuple[int, int, int], slot: int, params: ImagingParams
) -> NormalisedImage | Refusal:
    """What the child put into a slot; raises WireError where it is not what it should be."""
    index, header_bytes, data_bytes = line
    if not (0 < header_bytes <= HEADER_BYTES and 0 <= data_bytes <= slot - IMAGE_AT):
        raise WireError("lengths out of bounds")
    header = os.pread(fd, header_bytes, index * slot)
    try:
        if not data_bytes:
            refused = _Refused.model_validate_json(header)
            return Refusal(refused.reason, refused.detail)
        found = _Image.model_validate_json(header)
    except ValidationError as error:
        raise WireError("a header that does not validate") from error
    small = os.pread(fd, THUMBNAIL_BYTES, index * slot + HEADER_BYTES)
    data = os.pread(fd, data_bytes, index * slot + IMAGE_AT)
    whole = isinstance(params, WholeParams)
    sound = len(data) in _raw_bytes(found) if whole else data.startswith(_MAGIC[params.encoding])
    if len(data) != data_bytes or not sound:
        raise WireError("bytes that are no image")
    if max(found.width_px, found.height_px) > params.side_px:
        raise WireError("an image over its size")
    fields = found.model_dump(exclude={"pixel_hash"})
    code = bytes.fromhex(found.pixel_hash)
    form = RAW if whole else params.encoding
    return NormalisedImage(data=data, format=form, pixel_hash=code, thumbnail=small, **fields)


def _raw_bytes(found: _Image) -> tuple[int, int]:
    """How many bytes a grey and a coloured image of the size have."""
    return found.width_px * found.height_px, 3 * found.width_px * found.height_px


def read_line(line: bytes) -> tuple[int, int, int]:
    """The three numbers of a child's line; raises WireError."""
    try:
        numbers = json.loads(line)
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError are two
        raise WireError("a line that is no JSON") from error
    if not (isinstance(numbers, list) and len(numbers) == 3 and all(type(n) is int for n in numbers)):
        raise WireError("a line that is not three numbers")
    return numbers[0], numbers[1], numbers[2]


def _pack(result: NormalisedImage | Refusal) -> tuple[bytes, bytes]:
    if isinstance(result, Refusal):
        return json.dumps({"reason": result.reason, "detail": result.detail[:400]}).encode(), b""
    fields = {name: getattr(result, name) for name in _Image.model_fields}
    fields["pixel_hash"] = result.pixel_hash.hex()
    return json.dumps(fields).encode(), result.data
