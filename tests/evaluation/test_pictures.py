"""What engines cannot read is decoded; what they can read stays as it is."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from mht.evaluation.pictures import Pictures
from mht.imaging.params import ImagingParams
from mht.records import Reason, Refusal


def image(kind: str, side: int = 40) -> bytes:
    out = io.BytesIO()
    Image.linear_gradient("L").resize((side, 32)).save(out, kind)
    return out.getvalue()


@pytest.fixture(scope="module")
def pictures() -> Iterator[Pictures]:
    with Pictures(ImagingParams(encoding="png")) as made:
        yield made


def test_only_what_engines_cannot_read_is_touched(pictures: Pictures) -> None:
    lost = Refusal(Reason.MISSING_OBJECT, "gone")
    given = [image("JPEG"), None, image("TIFF"), lost, image("PNG"), image("TIFF")]
    found = pictures.readable(given)
    assert found[:2] == given[:2]
    assert found[3:5] == given[3:5]
    assert found[2] == found[5]
    assert isinstance(found[2], bytes)
    with Image.open(io.BytesIO(found[2])) as made:
        assert (made.format, made.size) == ("PNG", (40, 32))


def test_a_png_of_16_bits_is_scaled_to_8(pictures: Pictures) -> None:
    ramp = np.linspace(0, 65_535, 40 * 32).reshape(32, 40).astype(np.uint16)
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "PNG")
    (made,) = pictures.readable([out.getvalue()])
    assert isinstance(made, bytes)
    with Image.open(io.BytesIO(made)) as opened:
        assert opened.mode == "L"
        assert np.abs(np.asarray(opened, int) - np.rint(ramp / 257).astype(int)).max() <= 1


def test_what_cannot_be_decoded_is_refused_with_its_reason(pictures: Pictures) -> None:
    (page, cut) = pictures.readable([b"<html>no such key</html>", image("TIFF")[:-900]])
    assert isinstance(page, Refusal)
    assert page.reason == "not_an_image"
    assert isinstance(cut, Refusal)


def test_all_of_them_can_be_made_as_a_dataset_has_them() -> None:
    with Pictures(ImagingParams(side_px=64), every=True) as pictures:
        (made,) = pictures.readable([image("PNG", 256)])
    assert isinstance(made, bytes)
    with Image.open(io.BytesIO(made)) as opened:
        assert (opened.format, opened.size) == ("JPEG", (64, 8))


def test_no_child_is_started_for_nothing() -> None:
    pictures = Pictures(ImagingParams(child_memory_mib=256))
    assert pictures.readable([image("PNG"), None]) == [image("PNG"), None]
    assert pictures._guard is None
    pictures.close()
