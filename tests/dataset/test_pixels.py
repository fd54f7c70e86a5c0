"""What the image stage keeps is what it made, whatever the captions said of it."""

from dataclasses import replace
from pathlib import Path

from mht.artifacts import parquet_bytes, write_content
from mht.dataset.pixels import ImageRow, PixelCache, hash_table, image_table
from mht.imaging.decode import normalise
from mht.imaging.guard import Decoded
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, PlannedImage, Reading, Reason, Refusal, SourceItem
from mht.storage import Storage, StorageParams
from tests.imaging.hostile import save, scene


def test_a_kept_image_comes_back_as_the_header_told_it_not_as_the_caption_did(tmp_path: Path) -> None:
    made = normalise(save(scene(), "JPEG"), ImagingParams())
    assert isinstance(made, NormalisedImage)
    images = [replace(made, modality="DX", body_part="CHEST", thumbnail=None), made]
    rows = [
        ImageRow(PlannedImage(name, SourceItem(name, name), "g", "train", "s"), Reading("x", (), "CT"), image)
        for name, image in zip(("a", "b"), images, strict=True)
    ]
    table = image_table(rows)
    assert table.column("modality").to_pylist() == ["CT", "CT"]
    assert table.column("dicom_modality").to_pylist() == ["DX", None]
    storage, root = Storage(StorageParams()), str(tmp_path)
    file = write_content(storage, root, "images/s", parquet_bytes(table), 2)
    cache = PixelCache(storage, root, "fingerprint")
    refused = {"c": Decoded(Refusal(Reason.DECODER_CRASHED, "twice"), 2)}
    hashes = write_content(storage, root, "hashes/s", parquet_bytes(hash_table(rows, thumbnails=True)), 2)
    cache.write("s-inputs", file, hashes, refused)
    plain = [replace(image, thumbnail=None) for image in images]
    assert cache.read("s-inputs") == {"a": Decoded(plain[0], 1), "b": Decoded(plain[1], 1)} | refused
    assert cache.read("s-inputs", thumbnails=True) == {"b": Decoded(images[1], 1)} | refused


def test_what_is_gone_or_damaged_is_not_known(tmp_path: Path) -> None:
    storage, root = Storage(StorageParams()), str(tmp_path)
    cache = PixelCache(storage, root, "fingerprint")
    assert cache.read("s-inputs") == {}
    file = write_content(storage, root, "images/s", parquet_bytes(image_table([])), 0)
    hashes = write_content(storage, root, "hashes/s", parquet_bytes(hash_table([])), 0)
    cache.write("s-inputs", file, hashes, {"c": Decoded(Refusal(Reason.CORRUPT, "why"), 1)})
    assert list(cache.read("s-inputs")) == ["c"]
    (tmp_path / file.path).write_bytes(b"other")
    assert cache.read("s-inputs") == {}
