"""The folder source: what counts as an image, where captions and groups come from, what is refused."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mht.errors import InputError, StorageMissing
from mht.records import Reason, Refusal, SourceItem
from mht.sources.folder import Params, Source
from mht.storage import Storage, StorageParams
from tests.sources.conftest import Place

MAX = 1 << 20


def source(place: tuple[Storage, str], **settings: object) -> Source:
    return Source(Params(path=place[1], **settings), place[0])  # type: ignore[arg-type]


def outcome(value: str | Refusal | None) -> object:
    return value.reason if isinstance(value, Refusal) else value


def test_images_captions_and_bytes_are_the_same_everywhere(place: Place) -> None:
    files = {
        "a/1.png": b"one",
        "a/1.txt": b"first",
        "a/2.png": b"two",
        "a/2.png.txt": "zweites Ödem".encode(),
        "b/3.dcm": b"three",
        "b/3.json": b'{"text": "third", "x": 1}',
        "b/4": b"four",
        "DICOMDIR": b"dir",
        "LICENSE": b"l",
        "README.md": b"r",
        ".hidden/x.png": b"h",
        "a/.DS_Store": b"d",
        "annotations/1.xml": b"<x/>",
    }
    made = source(place(files))
    made.check()
    items = list(made.items())
    assert [item.name for item in items] == ["DICOMDIR", "a/1.png", "a/2.png", "b/3.dcm", "b/4"]
    assert [item.group for item in items] == [None] * 5
    assert [fetched.data for fetched in made.fetch(items, MAX)] == [b"dir", b"one", b"two", b"three", b"four"]
    assert made.captions(items) == [None, "first", "zweites Ödem", "third", None]


def test_captions_that_cannot_be_used_are_refused(place: Place) -> None:
    files = {f"{n}.png": b"x" for n in range(7)} | {
        "0.txt": b"\xff\xfe\xfa",
        "1.txt": b"x" * (MAX + 1),
        "2.txt": b"  \n",
        "3.json": b"{nonsense",
        "4.json": b'{"caption": "\\ud800 alone"}',
        "5.json": b'{"caption": ["list"]}',
        "6.txt": b"\xef\xbb\xbfwith a byte order mark",
    }
    made = source(place(files))
    items = list(made.items())
    assert [outcome(caption) for caption in made.captions(items)] == [
        Reason.CAPTION_NOT_UTF8,
        Reason.CAPTION_TOO_LONG,
        None,
        Reason.CAPTION_MISSING,
        Reason.CAPTION_NOT_UTF8,
        None,
        "with a byte order mark",
    ]


def test_metadata_in_any_folder_describes_its_files(place: Place) -> None:
    rows = [
        {"file_name": "1.png", "caption": "one", "group": "p1", "licence": "CC0"},
        {"file_name": "deep/2.png", "text": "two", "group": 7},
        {"file_name": "gone.png", "caption": "three"},
        {"file_name": "../top.png", "caption": "four"},
        {"file_name": "../../../etc/passwd", "caption": "five"},
        {"file_name": "long.png", "caption": "x" * (MAX + 1)},
        {"file_name": "lone.png", "caption": "\ud800"},
    ]
    files = {f"set/{n}.png": n.encode() for n in ("1", "deep/2", "long", "lone", "plain")} | {
        "top.png": b"top",
        "set/metadata.jsonl": "\n".join(json.dumps(row) for row in rows).encode(),
        "csv/metadata.csv": b'file_name,caption\n9.png,"nine, and\nmore"\n',
        "csv/9.png": b"9",
        "set/plain.txt": b"beside",
    }
    made = source(place(files))
    items = list(made.items())
    by_name = {item.name: item for item in items}
    assert list(by_name) == [
        *(
            "csv/9.png",
            "set/1.png",
            "set/deep/2.png",
            "set/lone.png",
            "set/long.png",
            "set/plain.png",
            "top.png",
        ),
        *("set/gone.png", "set/../../../etc/passwd"),
    ]
    captions = dict(zip(by_name, map(outcome, made.captions(items)), strict=True))
    assert captions == {
        "csv/9.png": "nine, and\nmore",
        "set/1.png": "one",
        "set/deep/2.png": "two",
        "set/lone.png": Reason.CAPTION_NOT_UTF8,
        "set/long.png": Reason.CAPTION_TOO_LONG,
        "set/plain.png": "beside",
        "top.png": "four",
        "set/gone.png": "three",
        "set/../../../etc/passwd": "five",
    }
    assert (by_name["set/1.png"].group, by_name["set/1.png"].licence) == ("p1", "CC0")
    assert by_name["set/deep/2.png"].group == "7"
    refusals = {
        item.name: fetched.refusal.reason
        for item, fetched in zip(items, made.fetch(items, MAX), strict=True)
        if fetched.refusal is not None
    }
    assert refusals == {
        "set/gone.png": Reason.MISSING_OBJECT,
        "set/../../../etc/passwd": Reason.UNREADABLE_OBJECT,
    }
    for item in items:
        repr(item).encode("utf-8")


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b'{"file_name": "a.png"}\n{oops', "line 2: not JSON"),
        (b"[1]", "line 1: a JSON object"),
        (b'{"caption": "x"}', "line 1: no 'file_name'"),
        (b'{"file_name": "a.png"}\n\n{"file_name": "./a.png"}', "line 3: 'a.png' was described before"),
        (b'{"file_name": ["a"]}', "line 1, column 'file_name'"),
        (b'{"file_name": "a.png", "caption": "\xff"}', "not UTF-8"),
    ],
)
def test_a_wrong_metadata_file_is_named_with_its_line(tmp_path: Path, data: bytes, complaint: str) -> None:
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "metadata.jsonl").write_bytes(data)
    with pytest.raises(InputError, match=complaint) as caught:
        list(Source(Params(path=str(tmp_path)), Storage(StorageParams())).items())
    assert "metadata.jsonl" in str(caught.value)


@pytest.mark.parametrize("captions", ["sidecar", "metadata", "none"])
def test_only_the_wanted_captions_are_read(tmp_path: Path, captions: str) -> None:
    for name, data in {
        "a.png": b"x",
        "a.txt": b"beside",
        "metadata.csv": b"file_name,caption\na.png,row\n",
    }.items():
        (tmp_path / name).write_bytes(data)
    made = Source(Params(path=str(tmp_path), captions=captions), Storage(StorageParams()))  # type: ignore[arg-type]
    items = list(made.items())
    assert made.captions(items) == [{"sidecar": "beside", "metadata": "row", "none": None}[captions]]


@pytest.mark.parametrize(
    ("group_by", "groups"),
    [
        ("image", [None, None, None]),
        ("folder", ["p1/s1", "p1/s2", "."]),
        (r"^(?P<group>p\d+)/", ["p1", "p1", None]),
    ],
)
def test_groups(tmp_path: Path, group_by: str, groups: list[str | None]) -> None:
    for name in ("p1/s1/a.png", "p1/s2/b.png", "z.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    made = Source(Params(path=str(tmp_path), group_by=group_by), Storage(StorageParams()))
    assert [item.group for item in made.items()] == groups


@pytest.mark.parametrize("group_by", ["patient", "(?P<group>", r"(\d+)"])
def test_a_grouping_that_is_none_is_refused(group_by: str) -> None:
    with pytest.raises(ValidationError, match="group"):
        Params(path="x", group_by=group_by)


def test_nothing_to_read_is_an_error(tmp_path: Path) -> None:
    storage = Storage(StorageParams())
    with pytest.raises(StorageMissing):
        Source(Params(path=str(tmp_path / "none")), storage).check()
    with pytest.raises(InputError, match="nothing is there"):
        list(Source(Params(path=str(tmp_path)), storage).items())
    (tmp_path / "a.txt").write_bytes(b"x")
    with pytest.raises(InputError, match="none of them an image"):
        list(Source(Params(path=str(tmp_path)), storage).items())


def test_a_file_replaced_since_the_listing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"before")
    made = Source(Params(path=str(tmp_path)), Storage(StorageParams()))
    items = list(made.items())
    (tmp_path / "a.png").write_bytes(b"after!")
    os.utime(tmp_path / "a.png", ns=(1, 1))
    (fetched,) = made.fetch(items, MAX)
    assert fetched.refusal is not None
    assert fetched.refusal.reason is Reason.REPLACED_SINCE_PLAN


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    names=st.lists(st.text(min_size=1, max_size=300), max_size=5), captions=st.lists(st.text(), max_size=5)
)
def test_any_row_becomes_an_item_or_an_error(tmp_path: Path, names: list[str], captions: list[str]) -> None:
    rows = [{"file_name": n, "caption": c} for n, c in zip(names, captions, strict=False)]
    (tmp_path / "a.png").write_bytes(b"x")
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = Source(Params(path=str(tmp_path)), Storage(StorageParams()))
    items: list[SourceItem] = []
    with contextlib.suppress(InputError):
        items = list(made.items())
    for item, fetched, caption in zip(items, made.fetch(items, MAX), made.captions(items), strict=True):
        assert (item.name == "a.png") == (fetched.data == b"x")
        assert caption is None or isinstance(caption, str | Refusal)


def test_blood_smears(reference_data: Path) -> None:
    made = Source(Params(path=str(reference_data / "blood_smears" / "images")), Storage(StorageParams()))
    made.check()
    items = list(made.items())
    assert len(items) == 40
    assert all((fetched.data or b"").startswith(b"\xff\xd8") for fetched in made.fetch(items, 64 << 20))
    assert made.captions(items) == [None] * 40
