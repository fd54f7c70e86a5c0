"""Is a picture one of a benchmark's? By its bytes, else by hashes of the benchmark's pictures whole and cut, else not.

What the hashes cannot rule out is laid over the benchmark's picture and compared in detail (`likeness`), so that two
radiographs of one projection are not taken for the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mht.imaging.hashes import NEAR_DUPLICATE_BITS, hashes_of
from mht.imaging.likeness import THUMBNAIL_SIDE, Box, Likeness, compare
from mht.records import NormalisedImage

# What an image may show of a benchmark's picture: all of it, all but its rim, all but a strip along one side or along
# two that meet; or as much more, where it is the benchmark's picture that was cut. Of what is then unknown its edge is
# repeated. An image that differs by up to 5 % a side lies near one of these.
_CUT = 1 / 30
_NEAR, _FAR, _BEFORE, _BEHIND = _CUT, 1 - _CUT, -_CUT, 1 + _CUT
BOXES: tuple[Box, ...] = (
    (0, 0, 1, 1), (_NEAR, _NEAR, _FAR, _FAR), (_BEFORE, _BEFORE, _BEHIND, _BEHIND),
    (_NEAR, 0, 1, 1), (0, _NEAR, 1, 1), (0, 0, _FAR, 1), (0, 0, 1, _FAR),
    (_NEAR, _NEAR, 1, 1), (0, _NEAR, _FAR, 1), (0, 0, _FAR, _FAR), (_NEAR, 0, 1, _FAR),
    (_BEFORE, 0, 1, 1), (0, _BEFORE, 1, 1), (0, 0, _BEHIND, 1), (0, 0, 1, _BEHIND),
    (_BEFORE, _BEFORE, 1, 1), (0, _BEFORE, _BEHIND, 1), (0, 0, _BEHIND, _BEHIND), (_BEFORE, 0, 1, _BEHIND),
)  # fmt: skip

# How far, in bits of the 64 lowest frequencies and of all 256, an image's hash may lie from a picture's, in the first
# three boxes and in the nearest of all. Of 815 real images in 19 disguises (scale 1/3 to 2, JPEG 50, brightness,
# contrast, 5 % off a side, a corner or all round, and these together) 1 in 1,000 lies further; benchmarks/leakage.py.
_FIRST_BITS, _FIRST_BOXES = 22, 3
_LOW_BITS = 14
_ALL_BITS = 70
# No more than so many are laid over an image. Among the 815 the picture that an image was made of was never beyond the
# fifth nearest; among 2,000 phantoms of one anatomy, cut ones can be beyond the five hundredth.
_NEAREST = 24


class Benchmark(BaseModel):
    """A benchmark's images: a source by its kind and its settings. An address alone is one whose kind shows."""

    model_config = ConfigDict(frozen=True, extra="allow")

    kind: str


class LeakageParams(BaseModel):
    """Which benchmarks the dataset may not contain, and what becomes of an image that is one of theirs.

    `benchmarks` are folders, tables (.parquet, .jsonl, .ndjson, .csv, .tsv) or archives (.tar), or sources with their
    settings. `action` `fail` ends the build with a report and closes no dataset, `quarantine` leaves the images out,
    `report` keeps them and tells. `likeness` is how alike the detail of two pictures must be, 1 being the same.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    benchmarks: tuple[Benchmark, ...] = ()
    action: Literal["fail", "quarantine", "report"] = "fail"
    # Of real images in their disguises 1 in 100 is less alike than this to what it was made of; no two of different
    # studies are more than 0.53 alike, neighbouring slices of a series can be 0.99, phantoms of one anatomy 0.98:
    # benchmarks/leakage.py.
    likeness: float = Field(default=0.9, ge=0.5, le=1)

    def addresses(self) -> Iterator[tuple[str, str]]:
        """(key, address) of each benchmark that has one."""
        for i, benchmark in enumerate(self.benchmarks):
            path = (benchmark.model_extra or {}).get("path")
            if isinstance(path, str):
                yield f"leakage.benchmarks.{i}.path", path

    @field_validator("benchmarks", mode="before")
    @classmethod
    def _addresses(cls, given: object) -> object:
        entries = [given] if isinstance(given, str) else given
        if not isinstance(entries, (list, tuple)):
            return given
        return tuple({"kind": _kind_of(e), "path": e} if isinstance(e, str) else e for e in entries)


def _kind_of(address: str) -> str:
    if address.lower().endswith((".parquet", ".jsonl", ".ndjson", ".csv", ".tsv")):
        return "table"
    return "webdataset" if ".tar" in address.lower().rpartition("/")[2] else "folder"


@dataclass(frozen=True, slots=True)
class Match:
    """A benchmark's picture (its row in the index) that an image shows, and how it was found.

    `found_by` is `bytes` for the same file, `hash` where the whole picture's hash is within 24 bits, else `detail`.
    `box` is what the image shows of it, see `likeness.Likeness`.
    """

    row: int
    found_by: str
    distance_bits: int
    likeness: float | None
    box: Box


def codes_of(thumbnails: Any) -> Any:
    """n x 19 x 32 uint8: the hashes of n pictures (n x 64 x 64), each as whole and cut as `BOXES` says."""
    import numpy as np

    codes = [hashes_of(thumbnails, (top, bottom), (left, right)) for left, top, right, bottom in BOXES]
    return np.stack(codes, axis=1)


class LeakIndex:
    """The pictures of all benchmarks, to be searched for an image. 20,000 of them take 100 MiB."""

    def __init__(self, sha256: Sequence[str], thumbnails: Any, codes: Any) -> None:
        """`thumbnails` is n x 64 x 64 uint8, `codes` n x 19 x 32 uint8, as `codes_of` makes them."""
        import numpy as np

        self._thumbnails = thumbnails
        self._bytes = {digest: i for i, digest in reversed(list(enumerate(sha256)))}
        self._codes = np.ascontiguousarray(codes).view(np.uint64)
        self._low = _lowest(codes)
        self._first = np.ascontiguousarray(self._low[:, :_FIRST_BOXES].T)

    def __len__(self) -> int:
        return len(self._thumbnails)

    def find(self, images: Sequence[NormalisedImage], at_least: float) -> list[Match | None]:
        """For each image the benchmark's picture that it shows, the likest of several. Images bring thumbnails."""
        out: list[Match | None] = [None] * len(images)
        asked = []
        for i, image in enumerate(images):
            same = self._bytes.get(image.source_sha256)
            if same is not None:
                out[i] = Match(same, "bytes", self._distance(image.pixel_hash, same), 1.0, BOXES[0])
            else:
                asked += [(i, row, box) for row, box in self.candidates(image.pixel_hash)]
        for (i, row, _), likeness in zip(asked, self._compare(images, asked), strict=True):
            distance = self._distance(images[i].pixel_hash, row)
            if not _same(likeness, distance, at_least):
                continue
            found_by = "hash" if distance <= NEAR_DUPLICATE_BITS else "detail"
            match = Match(row, found_by, distance, likeness.value, likeness.box)
            best = out[i]
            if best is None or (match.likeness or 0) > (best.likeness or 0):
                out[i] = match
        return out

    def candidates(self, pixel_hash: bytes) -> list[tuple[int, int]]:
        """(row, box) of the 24 nearest pictures that the hash does not rule out, and the box it is nearest to."""
        import numpy as np

        if not len(self):
            return []
        code = np.frombuffer(pixel_hash, np.uint8)
        low = _lowest(code[None, :])[0]
        rows = np.flatnonzero(np.bitwise_count(self._first ^ low).min(axis=0) <= _FIRST_BITS)
        rows = rows[np.bitwise_count(self._low[rows] ^ low).min(axis=1) <= _LOW_BITS]
        far = np.bitwise_count(self._codes[rows] ^ code.view(np.uint64)).sum(axis=2, dtype=np.int16)
        boxes = far.argmin(axis=1)
        far = far[np.arange(len(rows)), boxes]
        near = np.argsort(far, kind="stable")[:_NEAREST]
        near = near[far[near] <= _ALL_BITS]
        return list(zip(rows[near].tolist(), boxes[near].tolist(), strict=True))

    def _distance(self, pixel_hash: bytes, row: int) -> int:
        import numpy as np

        whole = self._codes[row, 0]
        return int(np.bitwise_count(whole ^ np.frombuffer(pixel_hash, np.uint64)).sum())

    def _compare(
        self, images: Sequence[NormalisedImage], asked: Sequence[tuple[int, int, int]]
    ) -> list[Likeness]:
        import numpy as np

        if not asked:
            return []
        shape = (-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        shown = np.frombuffer(b"".join(_thumbnail(images[i]) for i, _, _ in asked), np.uint8).reshape(shape)
        pictures = self._thumbnails[[row for _, row, _ in asked]]
        return compare(pictures, shown, np.array([BOXES[box] for _, _, box in asked]))


def _same(likeness: Likeness, distance: int, at_least: float) -> bool:
    """A picture without detail is told by its hash alone."""
    if likeness.value is None:
        return distance <= NEAR_DUPLICATE_BITS
    return likeness.value >= at_least


def _thumbnail(image: NormalisedImage) -> bytes:
    if image.thumbnail is None:
        raise ValueError("an image without its thumbnail cannot be compared")
    return image.thumbnail


def _lowest(codes: Any) -> Any:
    """uint64: the bits of the 64 lowest frequencies, of hashes along the last axis."""
    import numpy as np

    order = np.add.outer(np.arange(16) ** 2, np.arange(16) ** 2).ravel()
    order[0] = 1 << 30  # stands for the 16th along x
    kept = np.argsort(order, kind="stable")[:64]
    bits = np.unpackbits(codes, axis=-1)[..., kept]
    return np.ascontiguousarray(np.packbits(bits, axis=-1)).view(np.uint64)[..., 0]
