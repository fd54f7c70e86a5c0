"""The real decoding child, but for images that end in an order: those kill it, or make it hang, on the spot.

Started as `python -m tests.dataset.crashing_child <settings>`.
"""

from __future__ import annotations

import sys

from mht.imaging import child
from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Refusal
from tests.imaging.fake_child import ORDERS

MARK = b"\nORDER "


def obey_or_normalise(data: bytes, params: ImagingParams) -> NormalisedImage | Refusal:
    """What a defect in a native decoder does to the process that meets it; every other image is decoded."""
    _, marked, order = data.rpartition(MARK)
    if marked:
        ORDERS[order]()
    return normalise(data, params)


if __name__ == "__main__":
    child.serve(child.prepare(sys.argv[1]), obey_or_normalise)
