"""The resizer against Pillow's bicubic filter, and against itself on other processors."""

from __future__ import annotations

import numpy as np
import pytest
from cykooz_resizer import CpuExtensions
from PIL import Image

from mht.imaging import resample as module
from mht.imaging.resample import check, resample
from tests.imaging.hostile import scene

SIZES = [((512, 512), (336, 336)), ((340, 1200), (95, 336)), ((337, 20), (336, 20)), ((900, 17), (336, 6))]


def noise(mode: str, size: tuple[int, int]) -> Image.Image:
    """A scene under noise: smooth and rough at once."""
    values = np.random.default_rng(7).integers(-60, 60, size[::-1]) + np.asarray(scene(*size), np.int64)
    grey = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    return grey if mode == "L" else Image.merge("RGB", (grey, grey.rotate(180), grey.point(lambda v: v // 2)))


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(("old", "new"), SIZES)
def test_it_is_bicubic_up_to_rounding(mode: str, old: tuple[int, int], new: tuple[int, int]) -> None:
    image = noise(mode, old)
    ours = np.asarray(resample(image, new), np.int64)
    theirs = np.asarray(image.resize(new, Image.Resampling.BICUBIC, reducing_gap=2.0), np.int64)
    assert ours.shape == theirs.shape
    # its weights have some 9 bits where Pillow's have 22, which shows in noise alone
    assert np.abs(ours - theirs).mean() <= 0.5
    assert np.abs(ours - theirs).max() <= 6


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_every_processor_gives_the_same_pixels(mode: str) -> None:
    resizer, image = module._resizer(), noise(mode, (512, 400))
    usual, found = resizer.cpu_extensions, {}
    try:
        for extensions in CpuExtensions:
            resizer.cpu_extensions = extensions
            if (
                resizer.cpu_extensions is extensions
            ):  # it stays as it was where the processor has no such thing
                found[extensions] = resample(image, (336, 262)).tobytes()
    finally:
        resizer.cpu_extensions = usual
    assert len(found) > 1
    assert len(set(found.values())) == 1


def test_memory_that_is_laid_out_otherwise_is_noticed() -> None:
    check(resample)
    with pytest.raises(RuntimeError, match="do not fit together"):
        check(lambda image, size: resample(image.transpose(Image.Transpose.FLIP_TOP_BOTTOM), size))
