"""Images as a model's processor takes them: whole, upright, 8 bits; the hostile ones refused as in building."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator

import numpy as np
import psutil
import pytest
from PIL import Image

from mht.imaging.guard import DecoderGuard
from mht.imaging.params import WHOLE, WholeParams
from mht.imaging.whole import Unreadable, WholeImages
from mht.records import Reason
from tests.imaging.hostile import OK, HostileCase, corpus, save, scene
from tests.imaging.test_guard import FAKE


@pytest.fixture(scope="module")
def images() -> Iterator[WholeImages]:
    made = WholeImages()
    yield made
    made.close()


def image_of(images: WholeImages, data: bytes) -> Image.Image:
    [made] = images.decode([data])
    assert not isinstance(made, Unreadable), made
    return made


@pytest.mark.parametrize(
    "data",
    [
        save(scene(), "JPEG"),
        save(scene(700, 500).convert("RGB"), "JPEG", quality=95),
        save(scene(), "PNG"),
        save(scene().convert("RGB"), "PNG"),
        save(scene().convert("P"), "PNG"),
        save(scene().convert("1"), "PNG"),
        save(scene().convert("CMYK"), "JPEG"),
        save(scene(5000, 120), "JPEG"),
        save(scene(17, 16), "PNG"),
    ],
    ids=["jpeg", "jpeg_rgb", "png", "png_rgb", "palette", "bits", "cmyk", "large", "small"],
)
def test_pixels_of_8_bits_are_the_file_s_own(images: WholeImages, data: bytes) -> None:
    made = image_of(images, data)
    with Image.open(io.BytesIO(data)) as plain:
        assert made.mode == "RGB"
        assert made.size == plain.size
        assert made.tobytes() == plain.convert("RGB").tobytes()


def test_16_bits_are_scaled_and_not_clipped(images: WholeImages) -> None:
    ramp = np.linspace(0, 65_535, 256 * 32).reshape(32, 256).astype(np.uint16)
    made = np.asarray(image_of(images, save(Image.fromarray(ramp), "PNG")))[..., 0]
    assert np.abs(made.astype(int) - np.rint(ramp / 257).astype(int)).max() <= 1


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_s_rotation_is_applied(images: WholeImages, turn: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = turn
    made = image_of(images, save(scene(40, 20), "JPEG", exif=exif))
    assert made.size == ((20, 40) if turn >= 5 else (40, 20))


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_hostile_files_are_refused_with_the_reasons_of_a_build(
    images: WholeImages, case: HostileCase
) -> None:
    [made] = images.decode([case.data])
    if case.outcome == OK:
        assert not isinstance(made, Unreadable), made
    else:
        assert isinstance(made, Unreadable)
        assert made.refusal.reason == Reason(case.outcome)
        assert str(made)
        assert "imaging." not in str(made)


def test_a_decoder_that_dies_or_hangs_costs_its_image_alone() -> None:
    hasty = WholeParams(whole=True, child_timeout_s=1)
    images = WholeImages(hasty, lambda params: DecoderGuard(params, command=FAKE))
    found = images.decode([b"segfault", b"hang", b"quote"])
    images.close()
    reasons = [one.refusal.reason for one in found if isinstance(one, Unreadable)]
    assert reasons[:2] == [Reason.DECODER_CRASHED, Reason.DECODER_TIMEOUT]


def test_the_child_starts_with_the_first_image_and_again_after_close() -> None:
    images = WholeImages(WHOLE)
    images.close()
    assert image_of(images, save(scene(), "PNG")).size == (320, 240)
    images.close()
    assert image_of(images, save(scene(), "PNG")).size == (320, 240)
    images.close()


def test_the_child_ends_with_who_held_it() -> None:
    started: list[DecoderGuard] = []

    def start(params: WholeParams) -> DecoderGuard:
        started.append(DecoderGuard(params))
        return started[0]

    made = WholeImages(start_guard=start)
    image_of(made, save(scene(17, 16), "PNG"))
    child = psutil.Process(started[0].child_pid)
    assert child.is_running()
    del made
    gc.collect()
    assert not child.is_running()
