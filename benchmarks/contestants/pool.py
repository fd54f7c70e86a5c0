"""Written by hand: multiprocessing.Pool and pyarrow's writer, 250 images a chunk. It starts over when it was killed."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from multiprocessing import Pool
from pathlib import Path

from benchmarks.contestants.steps import context, count, decode, list_inputs, read, write_sum
from benchmarks.contestants.words import Told, read_words, tell
from mht.artifacts import parquet_bytes
from mht.dataset.pixels import ImageRow, image_table
from mht.pairing.twins import make_pairs
from mht.records import Pair, PlannedImage, Reading
from mht.schemas import PAIR_SCHEMA, to_table

CHUNK_IMAGES = 250

Caption = tuple[float, list[Reading | None], bytes]
Chunk = tuple[int, Sequence[PlannedImage], list[Reading | None], str]


def read_chunk(rows: Sequence[PlannedImage]) -> Caption:
    began = time.time()
    readings = [read(row.item.caption) for row in rows]
    return began, readings, count(readings)


def build_chunk(chunk: Chunk) -> tuple[int, int]:
    """Write images and pairs of a chunk; returns how many there are of both."""
    number, rows, readings, output = chunk
    settings = context(f"{output}/premises.json")
    images: list[ImageRow] = []
    pairs: list[Pair] = []
    for row, reading in zip(rows, readings, strict=True):
        image = decode(row.item.uri)
        if image is None or reading is None:
            continue
        made = make_pairs(row.image_id, row.split, reading, settings).pairs
        if made:
            images.append(ImageRow(row, reading, image))
            pairs.extend(made)
    root = Path(output)
    (root / "images" / f"{number:05d}.parquet").write_bytes(
        parquet_bytes(image_table(images), stored=("image",))
    )
    (root / "pairs" / f"{number:05d}.parquet").write_bytes(parquet_bytes(to_table(pairs, PAIR_SCHEMA)))
    return len(images), len(pairs)


def main(told: Told) -> None:
    shutil.rmtree(told.output, ignore_errors=True)
    for kind in ("images", "pairs"):
        (told.output / kind).mkdir(parents=True)
    inputs = list_inputs(told.folder)
    chunks = [inputs[i : i + CHUNK_IMAGES] for i in range(0, len(inputs), CHUNK_IMAGES)]
    with Pool(told.workers) as pool:
        captions = list(pool.imap(read_chunk, chunks))
        write_sum((counts for _, _, counts in captions), told.output / "premises.json")
        jobs = [
            (number, rows, readings, str(told.output))
            for number, (rows, (_, readings, _)) in enumerate(zip(chunks, captions, strict=True))
        ]
        written = list(pool.imap(build_chunk, jobs))
    ended = time.time()
    tell(
        min(began for began, _, _ in captions),
        ended,
        images=sum(images for images, _ in written),
        pairs=sum(pairs for _, pairs in written),
    )


if __name__ == "__main__":
    main(read_words())
