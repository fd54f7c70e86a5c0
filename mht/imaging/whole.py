"""The pixels of untrusted bytes as a model's processor takes them: all of them, upright, 8 bits, RGB."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mht.imaging.guard import DecoderGuard
from mht.imaging.params import WHOLE, WholeParams
from mht.records import NormalisedImage, Refusal

if TYPE_CHECKING:
    from PIL.Image import Image

StartGuard = Callable[[WholeParams], DecoderGuard]


class Unreadable(Exception):
    """Bytes that give no pixels; `refusal` says why, its text alone without a remedy of building a dataset."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail.partition(". ")[0].rstrip("."))
        self.refusal = refusal


class WholeImages:
    """Decodes in a guarded child that starts with the first image. Any thread may ask; they wait for each other.

    The child ends with `close`, or when nobody holds this any more.
    """

    def __init__(self, params: WholeParams = WHOLE, start_guard: StartGuard = DecoderGuard) -> None:
        self._params = params
        self._start_guard = start_guard
        self._guard: DecoderGuard | None = None
        self._end: Callable[[], object] | None = None
        self._lock = threading.Lock()

    def decode(self, batch: Sequence[bytes]) -> list[Image | Unreadable]:
        """Each as an RGB image, or why it is none. Raises ConfigError where no child can be started."""
        with self._lock:
            if self._guard is None:
                self._guard = self._start_guard(self._params)
                self._end = weakref.finalize(self, self._guard.close)
            return [_image(decoded.result) for decoded in self._guard.normalise(batch)]

    def close(self) -> None:
        """Ends the child, if there is one; the next image starts another."""
        with self._lock:
            if self._end is not None:
                self._end()
            self._guard = self._end = None


def _image(result: NormalisedImage | Refusal) -> Image | Unreadable:
    import PIL.Image

    if isinstance(result, Refusal):
        return Unreadable(result)
    size = result.width_px, result.height_px
    mode = "L" if len(result.data) == size[0] * size[1] else "RGB"
    return PIL.Image.frombytes(mode, size, result.data).convert("RGB")
