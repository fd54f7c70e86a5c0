"""Windows against pydicom's own, and every real DICOM file beside the checkout."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_windowing

from mht.imaging.decode import normalise
from mht.imaging.guard import DecoderGuard
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal
from tests.imaging.hostile import pixels
from tests.imaging.hostile_dicom import make_dicom, ramp

PNG = ImagingParams(encoding="png", side_px=1024, frames="middle", burned_in="accept")


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize(("centre", "width"), [(40, 400), (-600, 1500), (300.5, 1), (0, 2)])
@pytest.mark.parametrize("dtype", ["int16", "uint16", "int32"])
def test_windows_are_pydicoms(function: str, centre: float, width: float, dtype: str) -> None:
    stored = ramp(0, 2047, dtype)
    data = make_dicom(
        stored,
        RescaleSlope=1,
        RescaleIntercept=-1024,
        WindowCenter=centre,
        WindowWidth=width,
        VOILUTFunction=function,
    )
    dataset = dcmread(io.BytesIO(data))
    with np.errstate(over="ignore"):
        wanted = apply_windowing(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(float)
    low = -1024.0 - 32768.0 * (dtype == "int16") - 2.0**31 * (dtype == "int32")
    span = 2.0 ** (8 * np.dtype(dtype).itemsize) - 1
    result = normalise(data, PNG)
    assert isinstance(result, NormalisedImage)
    assert np.abs(pixels(result) - (wanted - low) / span * 255).max() <= 1.0


def test_a_window_without_width_counts_as_absent() -> None:
    result = normalise(make_dicom(ramp(0, 255, "uint8"), WindowCenter=9, WindowWidth=0), PNG)
    assert isinstance(result, NormalisedImage)
    assert (pixels(result).min(), pixels(result).max()) == (0, 255)


def test_the_first_of_several_windows_counts() -> None:
    result = normalise(make_dicom(ramp(0, 255, "uint8"), WindowCenter=[64, 200], WindowWidth=[2, 2]), PNG)
    assert isinstance(result, NormalisedImage)
    assert abs(int((pixels(result)[0] == 0).sum()) - 64) <= 1


def test_a_negative_slope_turns_the_greys_around() -> None:
    result = normalise(make_dicom(ramp(0, 255, "uint8"), RescaleSlope=-1, RescaleIntercept=0), PNG)
    assert isinstance(result, NormalisedImage)
    assert pixels(result)[0, 0] == 255


def test_a_grey_of_one_value_is_black() -> None:
    result = normalise(make_dicom(np.full((32, 32), 700, "uint16")), PNG)
    assert isinstance(result, NormalisedImage)
    assert pixels(result).max() == 0


def test_every_real_file_is_an_image_or_has_its_reason(reference_data: Path) -> None:
    paths = sorted(path for path in (reference_data / "dicom").rglob("*.dcm"))
    assert paths
    with DecoderGuard(PNG) as guard:
        results = dict(
            zip([p.name for p in paths], guard.normalise([p.read_bytes() for p in paths]), strict=True)
        )
    assert {decoded.attempts for decoded in results.values()} == {1}
    refused = {n: d.result.reason for n, d in results.items() if isinstance(d.result, Refusal)}
    assert refused["MR_truncated.dcm"] is Reason.TRUNCATED
    assert refused["rtplan.dcm"] is Reason.NO_PIXELS
    assert refused["JPEG2000-embedded-sequence-delimiter.dcm"] is Reason.CORRUPT  # 3.7 billion columns
    assert refused["JPEG-lossy.dcm"] is Reason.UNSUPPORTED_ENCODING  # JPEG Extended of 12 bits
    assert len(results) - len(refused) >= 60


def test_colour_is_what_pydicom_decodes(reference_data: Path) -> None:
    names = ("SC_rgb_rle", "SC_rgb_dcmtk_+eb+cy+s2", "SC_ybr_full_422_uncompressed", "SC_rgb_jpeg_gdcm")
    for name in names:
        data = (reference_data / "dicom" / "pydicom_wheel" / f"{name}.dcm").read_bytes()
        result = normalise(data, PNG)
        assert isinstance(result, NormalisedImage)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = dcmread(io.BytesIO(data)).pixel_array
        assert np.abs(pixels(result).astype(int) - wanted).max() <= 1, name
