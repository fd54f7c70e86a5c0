"""An image made smaller by Catmull-Rom's filter, by processor instructions that Pillow's own resizing does not use.

`cykooz-resizer` (the Rust crate fast_image_resize) adds up whole numbers, so SSE4.1, AVX2, NEON and plain code give
the same pixels. It works on Pillow's own memory, whose layout is no public promise: `check` looks at it once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from PIL.Image import Image

MODES = ("L", "RGB")
Filter = Literal["catmull_rom", "box"]
_GAP = 2
"""What is larger than so many times its new size is averaged over whole pixels first."""
_NEAR = 2
"""How far, in levels of 256, a pixel of the smooth image of `check` may lie from Pillow's; it lies at 0."""


@lru_cache(maxsize=1)
def _resizer() -> Any:
    from cykooz_resizer import CpuExtensions, Resizer

    resizer = Resizer()
    if resizer.cpu_extensions is CpuExtensions.avx2:
        # the six taps of a usual step do not fill AVX2's registers: 0.64 against 0.87 ms for 512 px grey to 336
        resizer.cpu_extensions = CpuExtensions.sse4_1
    return resizer


@lru_cache(maxsize=2)
def _algorithm(name: Filter) -> Any:
    from cykooz_resizer import FilterType, ResizeAlg

    return ResizeAlg.convolution(FilterType[name])


def resample(image: Image, size: tuple[int, int], by: Filter = "catmull_rom") -> Image:
    """An "L" or "RGB" image at the size (px), the whole of it. One thread of a process calls it at a time."""
    import PIL.Image
    from cykooz_resizer import CropBox, ResizeOptions

    options = ResizeOptions(resize_alg=_algorithm(by))
    width, height = image.size
    factor = max(1, width // (size[0] * _GAP)), max(1, height // (size[1] * _GAP))
    if factor != (1, 1) and by != "box":
        image = image.reduce(factor)
        options.crop_box = CropBox(0, 0, width / factor[0], height / factor[1])
    small = PIL.Image.new(image.mode, size, None)
    _resizer().resize_pil(image, small, options)
    return small


def check(resized: Callable[[Image, tuple[int, int]], Image]) -> None:
    """Raises RuntimeError where `resized`, which is `resample`, does not read this Pillow's images as Pillow does."""
    import PIL.Image

    ramp = PIL.Image.linear_gradient("L").resize((40, 30))
    colours = PIL.Image.merge("RGB", (ramp, ramp.rotate(90), ramp.rotate(180)))
    for image in (ramp, colours):
        ours = resized(image, (16, 12)).tobytes()
        theirs = image.resize((16, 12), PIL.Image.Resampling.BICUBIC).tobytes()
        if len(ours) != len(theirs) or max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) > _NEAR:
            found = ", ".join(f"{name} {metadata.version(name)}" for name in ("cykooz-resizer", "pillow"))
            raise RuntimeError(f"{found} do not fit together: install the versions in constraints.txt")
