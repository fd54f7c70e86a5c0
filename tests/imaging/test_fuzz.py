"""Mutated files: whatever the bytes, an image or a refusal, and never another exception."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Refusal
from tests.imaging.hostile import corpus, save, scene
from tests.imaging.hostile_dicom import make_dicom, ramp

PARAMS = ImagingParams(side_px=64, max_pixels=1_000_000)
SMALL = scene(48, 40)
SEEDS = {
    "jpeg": save(SMALL, "JPEG"),
    "progressive": save(SMALL.convert("RGB"), "JPEG", progressive=True),
    "png": save(SMALL, "PNG"),
    "palette": save(SMALL.convert("P"), "PNG", transparency=3),
    "tiff": save(SMALL, "TIFF", compression="tiff_lzw"),
    "tiff_plain": save(SMALL.convert("RGB"), "TIFF"),
    "dicom": make_dicom(ramp(0, 2000, "uint16"), WindowCenter=40, WindowWidth=400, RescaleSlope=1),
    "dicom_rgb": make_dicom(np.stack([ramp(0, 255, "uint8")] * 3, axis=-1)),
    "bare_dicom": make_dicom(ramp(0, 255, "uint8"))[132:],
    "dicom_palette": next(c.data for c in corpus() if c.name == "dicom_palette"),
    "dicom_jpeg2000": next(c.data for c in corpus() if c.name == "dicom_jpeg2000"),
    "dicom_deflated": next(c.data for c in corpus() if c.name == "dicom_deflated"),
}
mutation = st.tuples(
    st.sampled_from(("set", "cut", "drop", "repeat")),
    st.floats(0, 1),
    st.integers(0, 255),
    st.integers(1, 40),
)


def mutate(data: bytes, changes: list[tuple[str, float, int, int]]) -> bytes:
    """Changes at places given as shares of the length; headers get half of them."""
    for kind, share, value, length in changes:
        at = int(share * share * max(0, len(data) - 1))
        if kind == "set":
            data = data[:at] + bytes([value]) + data[at + 1 :]
        elif kind == "cut":
            data = data[: len(data) - at // 4]
        elif kind == "drop":
            data = data[:at] + data[at + length :]
        else:
            data = data[: at + length] + data[at:]
    return data


@pytest.mark.parametrize("name", SEEDS)
@settings(
    max_examples=120, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(changes=st.lists(mutation, min_size=1, max_size=6))
def test_a_mutated_file_is_an_image_or_a_refusal(
    name: str, changes: list[tuple[str, float, int, int]]
) -> None:
    result = normalise(mutate(SEEDS[name], changes), PARAMS)
    assert isinstance(result, (NormalisedImage, Refusal))
    if isinstance(result, Refusal):
        assert result.detail.isascii()
        assert result.detail.isprintable()


def test_the_unmutated_files_are_images() -> None:
    for name, data in SEEDS.items():
        assert isinstance(normalise(data, PARAMS), NormalisedImage), name
