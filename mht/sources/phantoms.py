"""Synthetic images with exact ground truth: nothing is read, everything is drawn from an index and a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, ConfigDict, Field

from mht.errors import ConfigError
from mht.phantoms.caption import caption_rng, describe
from mht.phantoms.draw import encode, render
from mht.phantoms.scene import KINDS, VERSION, Scene, draw_scene, findings
from mht.records import Fetched, Reason, Refusal, SourceItem

if TYPE_CHECKING:
    from mht.storage import Storage

SCHEME = "phantom:"
LICENCE = "CC0-1.0"


class Params(BaseModel):
    """Which phantoms: `count` images numbered from `start`, the kinds taking turns."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    kinds: Annotated[tuple[str, ...], Field(min_length=1)] = KINDS
    count: Annotated[int, Field(ge=1, le=100_000_000)] = 200
    seed: Annotated[int, Field(ge=0, lt=1 << 63)] = 0
    side_px: Annotated[int, Field(ge=32, le=4096)] = 512
    start: Annotated[int, Field(ge=0, lt=1 << 40)] = 0


class Source:
    """Lists, draws and describes phantoms. Storage is not touched."""

    def __init__(self, params: Params, storage: Storage | None = None) -> None:
        self._params = params

    def check(self) -> None:
        """Raise ConfigError for a kind that there is not."""
        for kind in self._params.kinds:
            findings(kind)

    def items(self) -> Iterator[SourceItem]:
        """The listing, in the order of the index; captions are left to `captions`."""
        p = self._params
        for index in range(p.start, p.start + p.count):
            kind = p.kinds[index % len(p.kinds)]
            uri = f"{SCHEME}{kind}/{p.side_px}/{p.seed}/{index:06d}"
            yield SourceItem(
                name=f"{kind}/{index:06d}.jpg",
                uri=uri,
                version=f"phantom-{VERSION}",
                licence=LICENCE,
                caption_uri=uri,
            )

    def fetch(self, items: Sequence[SourceItem], max_bytes: int) -> list[Fetched]:
        """The JPEG file of each item; a refusal for one of more than `max_bytes`."""
        files = (encode(render(*parse_uri(item.uri))) for item in items)
        return [_within(file, max_bytes) for file in files]

    def captions(self, items: Sequence[SourceItem]) -> list[str | Refusal | None]:
        """The caption of each item."""
        scenes = (parse_uri(item.uri)[0] for item in items)
        return [describe(scene, caption_rng(scene)) for scene in scenes]


def _within(file: bytes, max_bytes: int) -> Fetched:
    if len(file) <= max_bytes:
        return Fetched(file)
    detail = f"{len(file):,} bytes drawn, over the limit of {max_bytes:,}; lower side_px"
    return Fetched(None, Refusal(Reason.TOO_MANY_BYTES, detail))


def parse_uri(uri: str) -> tuple[Scene, int]:
    """The scene that `phantom:<kind>/<side px>/<seed>/<index>` names, and the side. Raises ConfigError."""
    parts = uri.removeprefix(SCHEME).split("/")
    if not uri.startswith(SCHEME) or len(parts) != 4 or not all(part.isdecimal() for part in parts[1:]):
        raise ConfigError(
            f"source phantoms: {uri!r} names no phantom. Write it as {SCHEME}chest_xray/512/0/000123 "
            "(kind, side in pixels, seed, index)."
        )
    side_px, seed, index = (int(part) for part in parts[1:])
    return draw_scene(parts[0], index, seed), side_px
