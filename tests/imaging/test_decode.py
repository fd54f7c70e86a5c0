"""The pure function: the form of its output, its policies, and the same bytes from the same bytes."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pytest
from PIL import Image

from mht.imaging.decode import normalise
from mht.imaging.guard import DecoderGuard
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal
from tests.imaging.hostile import OK, alike, corpus, pixels, save, scene
from tests.imaging.hostile_dicom import make_dicom, ramp

DEFAULTS = ImagingParams()


def image_of(data: bytes, params: ImagingParams = DEFAULTS) -> NormalisedImage:
    result = normalise(data, params)
    assert isinstance(result, NormalisedImage), result
    return result


def reason_of(data: bytes, params: ImagingParams = DEFAULTS) -> Reason:
    result = normalise(data, params)
    assert isinstance(result, Refusal)
    return result.reason


def test_the_longest_side_is_fitted_and_the_aspect_kept() -> None:
    result = image_of(save(scene(1000, 500), "JPEG"))
    assert (result.width_px, result.height_px) == (336, 168)
    assert (result.source_width_px, result.source_height_px) == (1000, 500)
    assert (result.source_format, result.format) == ("jpeg", "jpeg")


def test_a_small_image_is_not_enlarged() -> None:
    assert image_of(save(scene(100, 80), "PNG")).width_px == 100


def test_a_thin_image_keeps_a_pixel_of_its_short_side() -> None:
    params = ImagingParams(side_px=16, max_aspect=100)
    assert image_of(save(scene(1600, 16), "PNG"), params).height_px == 1


@pytest.mark.parametrize("side_px", [64, 200, 336])
def test_a_large_jpeg_decoded_at_a_reduced_scale_looks_like_the_whole_one(side_px: int) -> None:
    large = scene(1500, 1100)
    params = ImagingParams(side_px=side_px, encoding="png")
    alike(large, 2.0)(image_of(save(large, "JPEG", quality=95), params))


def test_grey_stays_grey_and_colour_is_rgb() -> None:
    for source, mode in ((scene(), "L"), (scene().convert("1"), "L"), (scene().convert("RGB"), "RGB")):
        with Image.open(io.BytesIO(image_of(save(source, "PNG")).data)) as decoded:
            assert decoded.mode == mode


def test_png_output_keeps_the_pixels_of_an_image_that_fits() -> None:
    params = ImagingParams(encoding="png")
    result = image_of(save(scene(300, 200), "PNG"), params)
    assert result.format == "png"
    assert np.array_equal(pixels(result), np.asarray(scene(300, 200)))


def test_no_metadata_is_written() -> None:
    exif = Image.Exif()
    exif[0x010E] = "somebody"
    source = save(scene(), "JPEG", exif=exif, comment=b"somebody", dpi=(72, 72), icc_profile=b"somebody")
    for params in (DEFAULTS, ImagingParams(encoding="png")):
        result = image_of(source, params)
        assert b"somebody" not in result.data
        with Image.open(io.BytesIO(result.data)) as decoded:
            assert set(decoded.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_every_exif_orientation_comes_out_upright() -> None:
    upright = scene()
    undo = {
        2: 0,
        3: 3,
        4: 1,
        5: 5,
        6: 2,
        7: 6,
        8: 4,
    }  # how to lay the scene so that the orientation rights it
    for turn, move in undo.items():
        exif = Image.Exif()
        exif[0x0112] = turn
        data = save(upright.transpose(Image.Transpose(move)), "JPEG", quality=95, exif=exif)
        result = image_of(data)
        assert (result.source_width_px, result.source_height_px) == upright.size
        alike(upright)(result)


def test_the_hash_of_the_source_is_of_the_bytes_that_came_in() -> None:
    data = save(scene(), "JPEG") + b"tail"
    assert image_of(data).source_sha256 == hashlib.sha256(data).hexdigest()


def test_the_same_bytes_give_the_same_record_here_and_in_the_child() -> None:
    sound = [case.data for case in corpus() if case.outcome == OK]
    here = [normalise(data, DEFAULTS) for data in sound]
    with DecoderGuard(DEFAULTS) as guard:
        assert [decoded.result for decoded in guard.normalise(sound)] == here
        assert [decoded.result for decoded in guard.normalise(sound[::-1])] == here[::-1]


@pytest.mark.parametrize("kind", ["TIFF", "PNG"])
def test_the_frames_policy(kind: str) -> None:
    frames = [Image.new("L", (40, 40), grey) for grey in (10, 90, 200, 240)]
    data = save(frames[0], kind, save_all=True, append_images=frames[1:])
    assert reason_of(data) is Reason.MULTI_FRAME
    assert abs(pixels(image_of(data, ImagingParams(frames="first"))).mean() - 10) < 2
    assert abs(pixels(image_of(data, ImagingParams(frames="middle"))).mean() - 200) < 2


def test_the_frames_policy_for_dicom() -> None:
    stack = np.stack([ramp(0, 100 * n, "uint16") for n in (1, 2, 3)])
    data = make_dicom(
        stack[0], NumberOfFrames=3, PixelData=stack.tobytes(), WindowCenter=150, WindowWidth=300
    )
    assert reason_of(data) is Reason.MULTI_FRAME
    first, middle = (image_of(data, ImagingParams(frames=f)) for f in ("first", "middle"))
    assert abs(int(pixels(first).max()) - 85) < 4
    assert abs(int(pixels(middle).max()) - 170) < 4


def test_burned_in_annotation_can_be_accepted() -> None:
    data = make_dicom(ramp(0, 255, "uint8"), BurnedInAnnotation="YES")
    assert image_of(data, ImagingParams(burned_in="accept")).modality == "CT"


def test_the_full_range_can_be_asked_for() -> None:
    data = make_dicom(ramp(0, 2000, "uint16"), WindowCenter=10, WindowWidth=20)
    assert pixels(image_of(data)).mean() > 250
    assert abs(pixels(image_of(data, ImagingParams(window="full"))).mean() - 127) < 3


def test_the_limits_are_the_params() -> None:
    data = save(scene(320, 240), "PNG")
    assert reason_of(data, ImagingParams(max_bytes=1000)) is Reason.TOO_MANY_BYTES
    assert reason_of(data, ImagingParams(max_pixels=320 * 240 - 1)) is Reason.TOO_MANY_PIXELS
    assert reason_of(data, ImagingParams(max_side_px=319)) is Reason.TOO_LONG
    assert reason_of(data, ImagingParams(min_side_px=241)) is Reason.TOO_SMALL
    assert reason_of(data, ImagingParams(max_aspect=1.3)) is Reason.TOO_NARROW
    image_of(data, ImagingParams(max_pixels=320 * 240, max_side_px=320, min_side_px=240, max_aspect=1.34))


def test_pillows_own_limit_is_as_it_was() -> None:
    before = Image.MAX_IMAGE_PIXELS
    normalise(save(scene(), "JPEG"), ImagingParams(max_pixels=5))
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_png_whose_last_row_is_black_is_whole() -> None:
    for interlaced in (0, 1):
        black = save(Image.new("L", (65, 33)), "PNG")
        if interlaced:  # all filter bytes and samples are zero, so that the passes hold zeros too
            from tests.imaging.hostile import chunk, zeros

            header = black[16:28] + b"\x01"
            rows = sum(
                -(-(33 - top) // dy) * (1 + -(-(65 - left) // dx))
                for left, top, dx, dy in
                ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
            )  # fmt: skip
            tail = chunk(b"IEND", b"")
            black = black[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zeros(rows)) + tail
            short = black[:8] + chunk(b"IHDR", header) + chunk(b"IDAT", zeros(rows - 1)) + tail
            assert reason_of(short) in (Reason.TRUNCATED, Reason.CORRUPT)  # Pillow may see it first
        assert pixels(image_of(black)).max() < 3
