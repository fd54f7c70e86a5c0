"""Tar shards, read back by the webdataset library."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.dataset.export.conftest import Export
from tests.dataset.small import picture

# The library leaves the tar files that it has read to the collector.
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*[.]tar:ResourceWarning")


def samples(out: Path, split: str) -> Iterator[dict[str, Any]]:
    import webdataset

    urls = [str(path) for path in sorted(out.glob(f"{split}-*.tar"))]
    yield from webdataset.WebDataset(urls, shardshuffle=False, empty_check=False).decode()


def image_of(sample: dict[str, Any]) -> bytes:
    (kind,) = {"jpg", "png"} & sample.keys()
    data: bytes = sample[kind]
    return data


def test_a_sample_is_an_image_with_its_pairs(exported: Export, pairs: dict[str, Any]) -> None:
    out = exported("format=webdataset")
    assert [path.name for path in sorted(out.glob("train-*"))] == ["train-000000.tar", "train-000001.tar"]
    seen = []
    for split in ("test", "train", "validation"):
        for sample in samples(out, split):
            told = sample["json"]
            assert told["image_id"] == sample["__key__"]
            assert image_of(sample) == picture(int(told["image_id"], 16))[1]
            for pair in told["pairs"]:
                assert pair == pairs[pair["pair_id"]]
                assert (pair["split"], pair["image_id"]) == (split, told["image_id"])
                seen.append(pair["pair_id"])
    assert sorted(seen) == sorted(pairs)


def test_a_sample_is_a_pair(exported: Export, pairs: dict[str, Any]) -> None:
    found = list(samples(exported("format=webdataset", "sample=pair", "split=test"), "test"))
    assert [sample["__key__"] for sample in found] == [p for p in pairs if pairs[p]["split"] == "test"]
    for sample in found:
        assert pairs[sample["__key__"]].items() <= sample["json"].items()
        assert image_of(sample) == picture(int(sample["json"]["image_id"], 16))[1]


@pytest.mark.parametrize("sample", ["image", "pair"])
def test_the_shards_are_numbered_without_a_gap(sample: str, tmp_path: Path) -> None:
    from mht.dataset.exporter import export
    from tests.dataset.small import write_dataset

    def first_shard_is_all_true(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        early = pairs[0]["image_id"] < f"{8:016x}"
        return [{**pair, "state": "faithful"} for pair in pairs] if early else pairs

    root = str(tmp_path / "dataset")
    write_dataset(root, change=first_shard_is_all_true)
    export(root, str(tmp_path / "out"), ["format=webdataset", "state=hallucinated", f"sample={sample}"])
    found = sorted(path.name for path in tmp_path.glob("out/*.tar"))
    assert found == ["train-000000.tar", "validation-000000.tar"]
    with tarfile.open(tmp_path / "out" / "train-000000.tar") as tar:
        assert {(m.mtime, m.uid, m.gid, m.uname, m.gname) for m in tar} == {(0, 0, 0, "", "")}
