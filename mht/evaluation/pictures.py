"""Images as engines read them: JPEG and PNG of 8 bits as they are, the others decoded in the guarded child."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from types import TracebackType

from mht.imaging.formats import sniff
from mht.imaging.guard import DecoderGuard
from mht.imaging.params import ImagingParams
from mht.questions import Picture
from mht.records import NormalisedImage

READ_BY_ENGINES = ("JPEG", "PNG")


def source(picture: Picture) -> str | None:
    """Which image it is, wherever it lies: 32 hex digits of its file's bytes; None where there are none."""
    return hashlib.sha256(picture).hexdigest()[:32] if isinstance(picture, bytes) else None


class Pictures:
    """Makes what a benchmark holds readable; a context manager. The child starts with the first image that needs it.

    With `every`, all images are decoded and encoded again as `params` says, as in building a dataset: the same size
    for what is trained on and asked.
    """

    def __init__(self, params: ImagingParams, every: bool = False) -> None:
        self._params = params
        self._every = every
        self._guard: DecoderGuard | None = None

    def __enter__(self) -> Pictures:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def readable(self, pictures: Sequence[Picture]) -> list[Picture]:
        """JPEG or PNG for each, or why there is none. None stays None, and equal bytes are decoded once."""
        wanted = {
            picture: None for picture in pictures if isinstance(picture, bytes) and self._needs(picture)
        }
        made: dict[Picture, Picture] = {}
        for data, decoded in zip(
            wanted, self._decoder.normalise(list(wanted)) if wanted else (), strict=True
        ):
            found = decoded.result
            made[data] = found.data if isinstance(found, NormalisedImage) else found
        return [made.get(picture, picture) for picture in pictures]

    def close(self) -> None:
        """Ends the child, if there is one."""
        if self._guard is not None:
            self._guard.close()
            self._guard = None

    def _needs(self, data: bytes) -> bool:
        return self._every or sniff(data) not in READ_BY_ENGINES or _is_deep_png(data)

    @property
    def _decoder(self) -> DecoderGuard:
        if self._guard is None:
            self._guard = DecoderGuard(self._params)
        return self._guard


def _is_deep_png(data: bytes) -> bool:
    """Of 16 bits a value, by its header: what many readers clip to white."""
    return data[:4] == b"\x89PNG" and data[24:25] == b"\x10"
