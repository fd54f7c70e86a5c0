"""The gate as a worker holds it: each decoded image is compared with the benchmarks' pictures before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mht.artifacts import parquet_table
from mht.errors import IntegrityError, StorageMissing
from mht.imaging.guard import Decoded
from mht.imaging.leakage import LeakageParams, LeakIndex, Match
from mht.imaging.likeness import THUMBNAIL_SIDE
from mht.records import NormalisedImage, PlannedImage, Reason, Refusal
from mht.storage import Storage, join


@dataclass(frozen=True, slots=True)
class Leak:
    """A row of leaks/: an image, the benchmark's picture that it shows, and how that was found.

    `left`, `top`, `right` and `bottom` are the part of the benchmark's picture that the image shows, as shares of
    its sides. `likeness` is None for a picture without detail.
    """

    image_id: str
    split: str
    shard: str
    benchmark: str
    picture: str
    found_by: str
    distance_bits: int
    likeness: float | None
    left: float
    top: float
    right: float
    bottom: float


class Gate:
    """Compares images with the index files of benchmarks, which are read when the first image comes."""

    def __init__(
        self, storage: Storage, root: str, indexes: Sequence[tuple[str, str]], params: LeakageParams
    ) -> None:
        """`indexes` is (benchmark's name, index file below the root) of each benchmark."""
        self._storage = storage
        self._root = root
        self._indexes = tuple(indexes)
        self._params = params
        self._named: list[tuple[str, str]] = []
        self._index: LeakIndex | None = None

    @property
    def is_open(self) -> bool:
        """Whether there is nothing to compare with."""
        return not self._indexes

    def find(self, rows: Sequence[PlannedImage], decoded: Sequence[Decoded]) -> list[Leak | None]:
        """For each image of a shard the leak that it is, if it is one; refused images are none."""
        out: list[Leak | None] = [None] * len(rows)
        if self.is_open:
            return out
        seen = [(i, d.result) for i, d in enumerate(decoded) if isinstance(d.result, NormalisedImage)]
        found = self._loaded().find([image for _, image in seen], self._params.likeness)
        for (i, _), match in zip(seen, found, strict=True):
            out[i] = self._leak(rows[i], match) if match is not None else None
        return out

    def refusal(self, leak: Leak | None) -> Refusal | None:
        """Why an image is left out; None where it is no leak, or leaks are only told."""
        if leak is None or self._params.action != "quarantine":
            return None
        return Refusal(
            Reason.BENCHMARK_LEAK,
            f"shows a picture of benchmark {leak.benchmark!r} (found by {leak.found_by}). See leakage.html, or "
            "give leakage.action=report to keep it.",
        )

    def _leak(self, row: PlannedImage, match: Match) -> Leak:
        benchmark, picture = self._named[match.row]
        return Leak(
            row.image_id,
            row.split,
            row.shard,
            benchmark,
            picture,
            match.found_by,
            match.distance_bits,
            match.likeness,
            *match.box,
        )

    def _loaded(self) -> LeakIndex:
        if self._index is None:
            columns: dict[str, list[Any]] = {"source_sha256": [], "thumbnail": [], "codes": []}
            for benchmark, path in self._indexes:
                table = self._read(path)
                self._named += [(benchmark, name) for name in table.column("name").to_pylist()]
                for name, values in columns.items():
                    values += table.column(name).to_pylist()
            self._index = _index(columns["source_sha256"], columns["thumbnail"], columns["codes"])
        return self._index

    def _read(self, path: str) -> Any:
        """The pictures of an index file that could be read."""
        import pyarrow.compute as pc

        try:
            table = parquet_table(self._storage.read(join(self._root, path)))
        except StorageMissing:
            raise IntegrityError(
                f"{join(self._root, path)}: a benchmark's index is gone. Build again to restore it."
            ) from None
        return table.filter(pc.is_null(table.column("reason")))


def _index(sha256: Sequence[str], thumbnails: Sequence[bytes], codes: Sequence[bytes]) -> LeakIndex:
    import numpy as np

    squares = np.frombuffer(b"".join(thumbnails), np.uint8).reshape(-1, THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    return LeakIndex(sha256, squares, np.frombuffer(b"".join(codes), np.uint8).reshape(len(squares), -1, 32))
