"""What the imaging family may be told: the shape of its output, its limits, its policies."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ImagingParams(BaseModel):
    """Limits on what is read and the form of what is written.

    `side_px` is the longest side of the output; a smaller image is never enlarged. `frames` says what becomes
    of a TIFF, PNG or DICOM file with several frames, `burned_in` what becomes of a DICOM file whose
    BurnedInAnnotation is YES. `window` "file" applies the grey window that a DICOM file asks for (VOI LUT,
    else centre and width) and falls to the full range of its values where there is none; "full" always takes
    the full range. `child_memory_mib` limits the address space of the decoding child, `child_timeout_s` the
    time for one image, `child_start_s` the time until a new child answers.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    side_px: int = Field(default=336, ge=16, le=4096)
    encoding: Literal["jpeg", "png"] = "jpeg"
    jpeg_quality: int = Field(default=90, ge=1, le=100)
    max_bytes: int = Field(default=64 * 1024 * 1024, ge=1, le=1 << 32)
    max_pixels: int = Field(default=64_000_000, ge=1, le=1 << 32)
    max_side_px: int = Field(default=20_000, ge=1, le=65_535)
    max_aspect: float = Field(default=50, ge=1, le=65_535)
    min_side_px: int = Field(default=16, ge=1, le=65_535)
    frames: Literal["refuse", "first", "middle"] = "refuse"
    burned_in: Literal["refuse", "accept"] = "refuse"
    window: Literal["file", "full"] = "file"
    child_memory_mib: int = Field(default=1024, ge=256, le=1 << 20)
    child_timeout_s: float = Field(default=10, gt=0, le=3600)
    child_start_s: float = Field(default=60, gt=0, le=3600)


class WholeParams(ImagingParams):
    """Nothing is made smaller, and the pixels come as they are, not encoded: what a model's processor resizes itself.

    `encoding` and `jpeg_quality` have no effect. Patient, for a refusal ends a training: an overloaded machine is no
    reason for one.
    """

    whole: Literal[True]
    side_px: int = Field(default=65_535, ge=65_535, le=65_535)
    child_memory_mib: int = Field(default=2048, ge=256, le=1 << 20)
    child_timeout_s: float = Field(default=60, gt=0, le=3600)
    child_start_s: float = Field(default=300, gt=0, le=3600)


WHOLE = WholeParams(whole=True)
"""For images that are trained on or asked about; a model's own processor makes them smaller."""
