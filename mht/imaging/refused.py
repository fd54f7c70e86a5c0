"""The way out of a decoder that has found a reason not to go on."""

from __future__ import annotations

from mht.imaging.params import ImagingParams
from mht.records import Reason, Refusal


class Refused(Exception):
    """Raised inside the family where the bytes earn a reason; `decode.normalise` turns it into a Refusal."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.refusal = Refusal(reason, detail)


def check_bytes(n_bytes: int, params: ImagingParams) -> None:
    """Raises Refused for a file of no bytes, or of more than `max_bytes`."""
    if n_bytes == 0:
        raise Refused(Reason.EMPTY_FILE, "the file has no bytes. Fetch it again or leave it out.")
    if n_bytes > params.max_bytes:
        raise Refused(
            Reason.TOO_MANY_BYTES,
            f"{n_bytes:,} bytes is over the limit of {params.max_bytes:,}. "
            "Raise imaging.max_bytes or leave the file out.",
        )


def check_size(width: int, height: int, params: ImagingParams) -> None:
    """Raises Refused for the first limit that a header's width and height (px) break.

    The order is pixels, longest side, shortest side, aspect: a file that breaks several is counted once.
    """
    size = f"{width} x {height} px"
    if width * height > params.max_pixels:
        limit = f"the limit of {params.max_pixels:,} px. Raise imaging.max_pixels or leave the file out."
        raise Refused(Reason.TOO_MANY_PIXELS, f"{size} is over {limit}")
    if max(width, height) > params.max_side_px:
        limit = f"{params.max_side_px} px on a side. Raise imaging.max_side_px or leave the file out."
        raise Refused(Reason.TOO_LONG, f"{size} is over the limit of {limit}")
    if min(width, height) < params.min_side_px:
        limit = f"{params.min_side_px} px on a side. Lower imaging.min_side_px or leave the file out."
        raise Refused(Reason.TOO_SMALL, f"{size} is under the limit of {limit}")
    if max(width, height) > params.max_aspect * min(width, height):
        limit = f"{params.max_aspect:g} to 1. Raise imaging.max_aspect or leave the file out."
        raise Refused(Reason.TOO_NARROW, f"{size} is over the aspect limit of {limit}")


def pick_frame(n_frames: int, params: ImagingParams) -> int:
    """The index of the frame to decode by the `frames` policy; raises Refused for several under "refuse"."""
    if n_frames <= 1 or params.frames == "first":
        return 0
    if params.frames == "middle":
        return n_frames // 2
    raise Refused(
        Reason.MULTI_FRAME,
        f"the file holds {n_frames} frames. Set imaging.frames to first or middle, or leave it out.",
    )
