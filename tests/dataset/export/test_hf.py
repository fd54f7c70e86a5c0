"""Read back by `datasets`: the splits, every column, and the image with the bytes of the dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.dataset.export.conftest import Export, load_with_datasets
from tests.dataset.small import picture


def test_datasets_reads_every_row(exported: Export, pairs: dict[str, Any], tmp_path: Path) -> None:
    import datasets

    loaded = load_with_datasets(exported("format=hf"), tmp_path)
    assert {split: rows.num_rows for split, rows in loaded.items()} == {
        "test": 8,
        "train": 36,
        "validation": 8,
    }
    for split, rows in loaded.items():
        assert isinstance(rows.features["image"], datasets.Image)
        assert rows.features["span_start"] == datasets.Value("int32")
        for row in rows:
            image = row.pop("image")
            number = int(row["image_id"], 16)
            assert image.size == (40 + number, 32)
            assert row["caption"].startswith(f"Fundus image {number},")
            pair = pairs[row["pair_id"]]
            assert pair.items() <= row.items()
            assert row["split"] == split


def test_the_image_s_bytes_are_those_of_the_dataset(exported: Export, tmp_path: Path) -> None:
    import datasets

    rows = load_with_datasets(exported("format=hf", "split=test"), tmp_path)["test"]
    for row in rows.cast_column("image", datasets.Image(decode=False)):
        suffix, data = picture(int(row["image_id"], 16))
        assert row["image"] == {"bytes": data, "path": f"{row['image_id']}.{suffix}"}


@pytest.mark.parametrize("words", [("format=hf",), ("format=trl", "variant=dpo")])
def test_an_image_is_stored_once_for_its_pairs(words: tuple[str, ...], exported: Export) -> None:
    for path in exported(*words).glob("data/*.parquet"):
        file = pq.ParquetFile(path)
        ids = file.read(["pair_id"]).column(0).to_pylist()
        images = {pair_id.partition("-")[0] for pair_id in ids}
        once = sum(len(picture(int(image_id, 16))[1]) for image_id in images)
        group = file.metadata.row_group(0)
        stored = sum(
            group.column(i).total_compressed_size
            for i in range(group.num_columns)
            if group.column(i).path_in_schema.endswith("bytes")
        )
        assert once < stored < 1.2 * once + 200
