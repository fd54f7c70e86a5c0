"""croissant.json: what MLCommons' own reader makes of it, and that it names the manifest's files."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mht.config import BuildConfig
from mht.dataset.croissant import data_type
from mht.schemas import IMAGE_SCHEMA, PAIR_SCHEMA


@pytest.fixture(scope="module")
def root(finished: BuildConfig) -> Path:
    return Path(finished.output)


@pytest.fixture(scope="module")
def told(root: Path) -> Any:
    return json.loads((root / "croissant.json").read_text(encoding="utf-8"))


def test_it_names_every_file_of_the_rows_with_its_hash(root: Path, told: Any) -> None:
    manifest = json.loads((root / "MANIFEST.json").read_text())
    wanted = {
        f["path"]: f["sha256"] for f in manifest["files"] if f["path"].startswith(("pairs/", "images/"))
    }
    named = {f["@id"]: f["sha256"] for f in told["distribution"] if f["@type"] == "cr:FileObject"}
    assert named == wanted


def test_it_is_named_in_the_manifest(root: Path) -> None:
    manifest = json.loads((root / "MANIFEST.json").read_text())
    assert {"croissant.json", "README.md", "gallery.html"} <= {f["path"] for f in manifest["files"]}


def test_fields_are_the_columns(told: Any) -> None:
    for records, schema in zip(told["recordSet"], (PAIR_SCHEMA, IMAGE_SCHEMA), strict=True):
        assert [field["@id"] for field in records["field"]] == [
            f"{records['@id']}/{name}" for name in schema.names
        ]
        for field in records["field"]:
            assert ("subField" in field) != ("dataType" in field)
            parts = field.get("subField", [field])
            assert all(part["source"]["fileSet"] == {"@id": f"{records['@id']}-files"} for part in parts)


def test_types() -> None:
    kinds = {
        pa.int32(): "sc:Integer",
        pa.float64(): "sc:Float",
        pa.string(): "sc:Text",
        pa.binary(): "sc:Text",
    }
    assert {kind: data_type(kind) for kind in kinds} == kinds
    assert data_type(pa.list_(pa.string())) == "sc:Text"


@pytest.fixture(scope="module")
def read(root: Path) -> Any:
    """The dataset as mlcroissant reads it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own use of pandas and rdflib
        mlcroissant = pytest.importorskip(
            "mlcroissant", reason="mlcroissant is not installed: pip install mlcroissant"
        )
        return mlcroissant.Dataset(str(root / "croissant.json"))


def test_mlcroissant_finds_no_error(read: Any) -> None:
    issues = read.metadata.ctx.issues
    assert not issues.errors
    # Where and when it is published is for its publisher to say.
    assert all("datePublished" in str(warning) for warning in issues.warnings), issues.report()


@pytest.mark.filterwarnings("ignore")
def test_mlcroissant_reads_pairs_and_images(read: Any, root: Path) -> None:
    pairs = [row for path in sorted(root.glob("pairs/*")) for row in pq.read_table(path).to_pylist()]
    found = {row["pairs/pair_id"].decode(): row for row in read.records("pairs")}
    assert found.keys() == {row["pair_id"] for row in pairs}
    for row in pairs[::50]:
        here = found[row["pair_id"]]
        assert here["pairs/question"].decode() == row["question"]
        assert here["pairs/span_start"] == row["span_start"]
    image = next(iter(read.records("images")))
    assert image["images/image"].size == (image["images/width_px"], image["images/height_px"])
    assert image["images/facts"][0]["images/facts/presence"] in (b"present", b"absent", b"uncertain")
