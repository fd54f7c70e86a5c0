"""The image stage: bytes fetched ahead, decoded in the guarded child, and reused where nothing did change.

What a shard's images became is kept under `stages/<fingerprint>/`: the images file by name, and every refusal.
An image that is in neither is fetched and decoded; the others cost no object and no decoding.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, dump_json, read_table
from mht.dataset.captions import facts_column
from mht.errors import IntegrityError, StorageMissing
from mht.imaging.guard import Decoded, DecoderGuard
from mht.imaging.params import ImagingParams
from mht.records import Fetched, NormalisedImage, PlannedImage, Reading, Reason, Refusal
from mht.schemas import HASH_SCHEMA, IMAGE_SCHEMA
from mht.storage import Storage, join

StartGuard = Callable[[ImagingParams], DecoderGuard]
BATCH_IMAGES = 50
_FROM_IMAGE = (
    "width_px", "height_px", "source_width_px", "source_height_px", "source_format", "source_sha256",
    "pixel_hash", "body_part", "view", "laterality",
)  # fmt: skip
_FORMATS = {".jpg": "jpeg", ".png": "png"}
_SUFFIXES = {name: suffix for suffix, name in _FORMATS.items()}


@dataclass(frozen=True, slots=True)
class ImageRow:
    """What a row of images/ is made of."""

    planned: PlannedImage
    reading: Reading
    image: NormalisedImage


def image_table(rows: Sequence[ImageRow]) -> pa.Table:
    """images/<shard>: one row an image, its bytes as Hugging Face's `Image` struct."""
    columns: dict[str, list[Any]] = {name: [getattr(r.image, name) for r in rows] for name in _FROM_IMAGE}
    columns |= {
        "image_id": [r.planned.image_id for r in rows],
        "split": [r.planned.split for r in rows],
        "group": [r.planned.group for r in rows],
        "image": [
            {"bytes": r.image.data, "path": r.planned.image_id + _SUFFIXES[r.image.format]} for r in rows
        ],
        "caption": [r.reading.caption for r in rows],
        "facts": [facts_column(r.reading) for r in rows],
        "licence": [r.planned.item.licence for r in rows],
        # The lexicon's word, from the caption or the source; DICOM's code has a column of its own.
        "modality": [r.reading.modality for r in rows],
        "dicom_modality": [r.image.modality for r in rows],
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in IMAGE_SCHEMA})


def hash_table(rows: Sequence[ImageRow], thumbnails: bool = False) -> pa.Table:
    """hashes/<shard>: what near-duplicates are found by, apart from the bytes, so that it is quick to read.

    `thumbnails` are kept for whoever compares with a benchmark, and are empty elsewhere.
    """
    columns = {
        "image_id": [r.planned.image_id for r in rows],
        "split": [r.planned.split for r in rows],
        "group": [r.planned.group for r in rows],
        "source_sha256": [r.image.source_sha256 for r in rows],
        "pixel_hash": [r.image.pixel_hash for r in rows],
        "thumbnail": [r.image.thumbnail if thumbnails else None for r in rows],
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in HASH_SCHEMA})


class PixelCache:
    """`stages/<fingerprint>/<shard>-<inputs>.json` of one dataset."""

    def __init__(self, storage: Storage, root: str, fingerprint: str) -> None:
        self._storage = storage
        self._root = root
        self._folder = join(root, "stages", fingerprint)

    def write(self, key: str, images: FileRecord, hashes: FileRecord, refused: Mapping[str, Decoded]) -> None:
        """Note what became of the shard `key` (its name and its inputs' digest)."""
        plain = {
            "images": asdict(images),
            "hashes": asdict(hashes),
            "refused": {
                image_id: [decoded.result.reason, decoded.result.detail, decoded.attempts]
                for image_id, decoded in refused.items()
                if isinstance(decoded.result, Refusal)
            },
        }
        self._storage.write(join(self._folder, f"{key}.json"), dump_json(plain))

    def read(self, key: str, thumbnails: bool = False) -> dict[str, Decoded]:
        """What is known of the shard's images; empty when nothing is, or the images file is gone.

        Where `thumbnails` are wanted, an image that was kept without one is not known: it is decoded again.
        """
        try:
            plain = json.loads(self._storage.read(join(self._folder, f"{key}.json")))
            table = read_table(self._storage, self._root, FileRecord(**plain["images"]))
            small = self._thumbnails(FileRecord(**plain["hashes"])) if thumbnails else {}
        except (StorageMissing, IntegrityError):
            return {}
        known = {
            row["image_id"]: Decoded(_from_row(row, small.get(row["image_id"])), 1)
            for row in table.to_pylist()
            if not thumbnails or small.get(row["image_id"])
        }
        for image_id, (reason, detail, attempts) in plain["refused"].items():
            known[image_id] = Decoded(Refusal(Reason(reason), detail), attempts)
        return known

    def _thumbnails(self, hashes: FileRecord) -> dict[str, bytes]:
        table = read_table(self._storage, self._root, hashes, columns=["image_id", "thumbnail"])
        return dict(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _from_row(row: dict[str, Any], thumbnail: bytes | None) -> NormalisedImage:
    kind = _FORMATS["." + row["image"]["path"].rpartition(".")[2]]
    known = {name: row[name] for name in _FROM_IMAGE} | {"thumbnail": thumbnail}
    return NormalisedImage(data=row["image"]["bytes"], format=kind, modality=row["dicom_modality"], **known)


class PixelStage:
    """Decodes batches of planned images. Holds the decoding child, so close it."""

    def __init__(self, source: Any, params: ImagingParams, start_guard: StartGuard = DecoderGuard) -> None:
        self._source = source
        self._params = params
        self._start_guard = start_guard
        self._guard: DecoderGuard | None = None
        self._ahead = ThreadPoolExecutor(1, thread_name_prefix="fetch")

    def decode(
        self, batches: Sequence[Sequence[PlannedImage]], known: Mapping[str, Decoded]
    ) -> Iterator[Iterator[Decoded]]:
        """For each batch its images' outcomes in order; the child works while the caller does something else."""
        missing = [[row for row in batch if row.image_id not in known] for batch in batches]
        ahead: Future[list[Fetched]] | None = None
        for index, batch in enumerate(batches):
            fetched = ahead.result() if ahead is not None else self._fetch(missing[index])
            if index + 1 < len(batches):
                ahead = self._ahead.submit(self._fetch, missing[index + 1])
            data = [f.data for f in fetched if f.data is not None]
            decoded = self._guarded().normalise(data) if data else iter(())
            yield _in_order(batch, known, iter(fetched), decoded)

    def close(self) -> None:
        self._ahead.shutdown(wait=False, cancel_futures=True)
        if self._guard is not None:
            self._guard.close()

    def _fetch(self, rows: Sequence[PlannedImage]) -> list[Fetched]:
        if not rows:
            return []
        fetched: list[Fetched] = self._source.fetch([row.item for row in rows], self._params.max_bytes)
        return fetched

    def _guarded(self) -> DecoderGuard:
        if self._guard is None:
            self._guard = self._start_guard(self._params)
        return self._guard


def _in_order(
    batch: Sequence[PlannedImage],
    known: Mapping[str, Decoded],
    fetched: Iterator[Fetched],
    decoded: Iterator[Decoded],
) -> Iterator[Decoded]:
    for row in batch:
        if row.image_id in known:
            yield known[row.image_id]
            continue
        read = next(fetched)
        if read.data is not None:
            yield next(decoded)
        else:
            assert read.refusal is not None
            yield Decoded(read.refusal, 1)
