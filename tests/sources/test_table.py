"""The table source: rows that name images, rows that hold them, and errors that name file, row and column."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mht.errors import InputError
from mht.records import Reason
from mht.sources.table import Params, Source
from mht.storage import Storage, StorageParams, join
from tests.sources.conftest import Place

MAX = 1 << 20
IMAGES = {"images/1.png": b"one", "images/2.png": b"two"}
HF_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def parquet(columns: dict[str, Any], row_group_size: int = 2, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, row_group_size=row_group_size, **options)
    return sink.getvalue()


def jsonl(*rows: dict[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, rows)).encode()


def opened(storage: Storage, path: str, **settings: Any) -> Source:
    made = Source(Params(path=path, **settings), storage)
    made.check()
    return made


@pytest.mark.parametrize("kind", ["jsonl", "csv", "tsv", "parquet"])
def test_rows_name_images_beside_the_table(place: Place, kind: str) -> None:
    rows = [
        {"image": "images/1.png", "caption": "first, one", "case": "p1", "rights": "CC0"},
        {"image": "./images/2.png", "caption": "second", "case": "p2", "rights": "CC0"},
    ]
    separator = {"csv": ",", "tsv": "\t"}.get(kind, "")
    lines = [list(rows[0])] + [[f'"{value}"' for value in row.values()] for row in rows]
    data = {
        "jsonl": jsonl(*rows),
        "parquet": parquet({key: [row[key] for row in rows] for key in rows[0]}),
        "csv": "\n".join(separator.join(line) for line in lines).encode(),
        "tsv": "\n".join(separator.join(line) for line in lines).encode(),
    }[kind]
    storage, root = place({**IMAGES, f"t.{kind}": data})
    made = opened(storage, join(root, f"t.{kind}"), group="case", licence="rights")
    items = list(made.items())
    assert [(i.name, i.group, i.licence, i.row) for i in items] == [
        ("images/1.png", "p1", "CC0", None),
        ("images/2.png", "p2", "CC0", None),
    ]
    assert [fetched.data for fetched in made.fetch(items, MAX)] == [b"one", b"two"]
    assert made.captions(items) == ["first, one", "second"]


@pytest.mark.parametrize("statistics", [True, False])
def test_rows_hold_images_as_hugging_face_does(place: Place, statistics: bool) -> None:
    values = [{"bytes": b"image %d" % n, "path": f"{n}.png"} for n in range(5)]
    values[3] = {"bytes": None, "path": "images/1.png"}
    data = parquet(
        {"image": pa.array(values, HF_IMAGE), "caption": list("abcde"), "id": [10, 11, 12, 13, 14]},
        write_statistics=statistics,
    )
    storage, root = place({**IMAGES, "data/t.parquet": data})
    made = opened(storage, join(root, "data/*.parquet"), root=root)
    items = list(made.items())
    assert [(i.name, i.row) for i in items] == [
        ("t.parquet/0", 0),
        ("t.parquet/1", 1),
        ("t.parquet/2", 2),
        ("images/1.png", None),
        ("t.parquet/4", 4),
    ]
    backwards = made.fetch(items[::-1], MAX)
    assert [f.data for f in backwards] == [b"image 4", b"one", b"image 2", b"image 1", b"image 0"]
    assert made.captions(items) == list("abcde")
    named = opened(storage, join(root, "data/t.parquet"), root=root, id="id")
    assert [item.name for item in named.items()] == ["10", "11", "12", "13", "14"]


def test_rows_hold_raw_bytes(place: Place) -> None:
    data = parquet({"image": pa.array([b"a", b"", b"c" * 50], pa.large_binary())})
    storage, root = place({"t.parquet": data})
    made = opened(storage, join(root, "t.parquet"), caption=None)
    items = list(made.items())
    fetched = pickle.loads(pickle.dumps(made)).fetch(items, 10)
    assert [f.data for f in fetched] == [b"a", b"", None]
    assert fetched[2].refusal is not None
    assert fetched[2].refusal.reason is Reason.TOO_MANY_BYTES


def test_a_table_replaced_or_gone_refuses_its_rows(place: Place) -> None:
    storage, root = place({"t.parquet": parquet({"image": pa.array([b"a"], pa.binary())})})
    path = join(root, "t.parquet")
    made = opened(storage, path, caption=None)
    items = list(made.items())
    storage.write(path, parquet({"image": pa.array([b"other"], pa.binary())}))
    (fetched,) = made.fetch(items, MAX)
    assert fetched.refusal is not None
    assert fetched.refusal.reason is Reason.REPLACED_SINCE_PLAN
    storage.delete(path)
    (fetched,) = Source(Params(path=path, caption=None), storage).fetch(items, MAX)
    assert fetched.refusal is not None
    assert fetched.refusal.reason is Reason.MISSING_OBJECT


def test_a_damaged_row_group_refuses_its_rows_only(tmp_path: Path) -> None:
    data = bytearray(
        parquet({"image": pa.array([b"%d" % n * 99 for n in range(4)], pa.binary())}, compression="gzip")
    )
    path = tmp_path / "t.parquet"
    path.write_bytes(data)
    made = opened(Storage(StorageParams()), str(path), caption=None)
    items = list(made.items())
    column = pq.ParquetFile(path).metadata.row_group(1).column(0)
    start = column.dictionary_page_offset or column.data_page_offset
    data[start : start + column.total_compressed_size] = b"\xff" * column.total_compressed_size
    with open(path, "r+b") as file:
        file.write(data)
    items = list(made.items())
    fetched = made.fetch(items, MAX)
    assert [f.data for f in fetched[:2]] == [b"0" * 99, b"1" * 99]
    assert [f.refusal.reason for f in fetched[2:] if f.refusal] == [Reason.UNREADABLE_OBJECT] * 2


@pytest.mark.parametrize(
    ("name", "data", "settings", "complaint"),
    [
        (
            "t.jsonl",
            jsonl({"image": "a.png"}, {"image": "https://h/x.png"}),
            {},
            "line 2, column 'image'.*https",
        ),
        ("t.jsonl", jsonl({"picture": "a.png"}), {}, "line 1: no column 'image'.*picture"),
        ("t.jsonl", jsonl({"image": 5}), {}, "line 1, column 'image'"),
        ("t.jsonl", jsonl({"image": "a", "caption": ["x"]}), {}, "line 1, column 'caption'"),
        ("t.jsonl", jsonl({"image": "a"}, {"image": "a"}), {}, "line 2.*also named by.*line 1"),
        ("t.jsonl", b"", {}, "no rows"),
        ("t.csv", b"image,caption\na.png\n", {}, "line 2: not as many fields"),
        ("t.csv", b"image,text\na.png,x\n", {}, "no column 'caption'.*text"),
        ("t.csv", b'image,caption\n"a.png,x\n', {}, "line 2"),
        ("t.parquet", parquet({"image": ["a"]}), {}, "no column 'caption'"),
        ("t.parquet", parquet({"image": [1.5]}), {"caption": None}, "column 'image'.*double"),
        ("t.parquet", b"PAR1 and no more", {}, "not a whole Parquet file"),
        ("t.txt", b"x", {}, "no .parquet"),
    ],
)
def test_errors_name_file_row_and_column(
    tmp_path: Path, name: str, data: bytes, settings: dict[str, Any], complaint: str
) -> None:
    (tmp_path / name).write_bytes(data)
    made = Source(Params(path=str(tmp_path / name), **settings), Storage(StorageParams()))
    with pytest.raises(InputError, match=complaint) as caught:
        list(made.items())
    assert name in str(caught.value)


def test_a_path_that_climbs_out_is_counted_and_refused(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret.png").write_bytes(b"secret")
    rows = jsonl({"image": "../secret.png"}, {"image": "a/../../secret.png"}, {"image": "gone.png"})
    (tmp_path / "in" / "t.jsonl").write_bytes(rows)
    made = Source(Params(path=str(tmp_path / "in" / "t.jsonl")), Storage(StorageParams()))
    items = list(made.items())
    fetched = made.fetch(items, MAX)
    assert [f.refusal.reason for f in fetched if f.refusal] == [
        Reason.UNREADABLE_OBJECT,
        Reason.UNREADABLE_OBJECT,
        Reason.MISSING_OBJECT,
    ]


def test_a_table_in_a_bucket_cannot_name_local_files() -> None:
    storage = Storage(StorageParams())
    storage.write("memory://tables/t.jsonl", jsonl({"image": "/etc/hostname"}))
    with pytest.raises(InputError, match="local file"):
        list(Source(Params(path="memory://tables/t.jsonl"), storage).items())


def test_absolute_addresses_reach_other_stores(tmp_path: Path) -> None:
    storage = Storage(StorageParams())
    storage.write("memory://elsewhere/x.png", b"far")
    (tmp_path / "near.png").write_bytes(b"near")
    rows = jsonl({"image": "memory://elsewhere/x.png"}, {"image": str(tmp_path / "near.png")})
    (tmp_path / "t.jsonl").write_bytes(rows)
    made = Source(Params(path=str(tmp_path / "t.jsonl")), storage)
    assert [fetched.data for fetched in made.fetch(list(made.items()), MAX)] == [b"far", b"near"]


def test_medpix(reference_data: Path) -> None:
    path = str(reference_data / "medpix" / "captions.jsonl")
    made = opened(Storage(StorageParams()), path, group="case")
    items = list(made.items())
    assert len(items) == 500
    assert all(item.group and item.caption for item in items)
    fetched = made.fetch(items, 64 << 20)
    assert all((f.data or b"").startswith(b"\xff\xd8") for f in fetched)
    assert made.captions(items) == [item.caption for item in items]
