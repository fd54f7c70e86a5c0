"""A name typed into a coded field has the shape of a code, and does not leave the child."""

import pydicom
import pytest

from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage
from tests.imaging.hostile_dicom import make_dicom, ramp


@pytest.mark.parametrize(
    ("keyword", "value", "field", "kept"),
    [
        ("BodyPartExamined", "CHEST", "body_part", "CHEST"),
        ("BodyPartExamined", "JOHN DOE", "body_part", None),
        ("ViewPosition", "pa", "view", "PA"),
        ("ViewPosition", "MRN 0012345", "view", None),
        ("Modality", "CR", "modality", "CR"),
        ("Modality", "DOE", "modality", None),
    ],
)
def test_only_the_standards_own_terms_leave(keyword: str, value: str, field: str, kept: str | None) -> None:
    with pydicom.config.disable_value_validation():
        data = make_dicom(ramp(0, 255, "uint8"), **{keyword: value})
    image = normalise(data, ImagingParams())
    assert isinstance(image, NormalisedImage)
    assert getattr(image, field) == kept
