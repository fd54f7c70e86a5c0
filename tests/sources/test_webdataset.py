"""The webdataset source: members as ranges, samples by name, archives that were cut."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mht.errors import InputError
from mht.records import Reason, Refusal
from mht.sources.webdataset import Params, Source
from mht.storage import Storage, StorageParams, join
from tests.sources.conftest import Place

MAX = 1 << 20


def tar(members: Iterable[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return sink.getvalue()


def local(tmp_path: Path, data: bytes, **settings: object) -> Source:
    (tmp_path / "x.tar").write_bytes(data)
    return Source(Params(path=str(tmp_path / "x.tar"), **settings), Storage(StorageParams()))  # type: ignore[arg-type]


def test_samples_are_read_as_ranges_everywhere(place: Place) -> None:
    first = tar(
        [
            ("s/0.jpg", b"zero"),
            ("s/0.txt", b"caption zero"),
            ("s/0.cls", b"7"),
            ("s/1.json", json.dumps({"text": "caption one", "patient": "p1", "rights": "CC0"}).encode()),
            ("s/1.PNG", b"one"),
        ]
    )
    second = tar([("0.jpg", b""), ("n" * 150 + ".dcm", b"long name")], tarfile.GNU_FORMAT)
    storage, root = place({"t/a-000.tar": first, "t/a-001.tar": second, "t/b.tar": b"other"})
    made = Source(
        Params(path=join(root, "t/a-*.tar"), group_key="patient", licence_key="rights", threads=2), storage
    )
    made.check()
    items = list(made.items())
    assert [item.name for item in items] == [
        "a-000.tar/s/0.jpg",
        "a-000.tar/s/1.PNG",
        "a-001.tar/0.jpg",
        "a-001.tar/" + "n" * 150 + ".dcm",
    ]
    assert [fetched.data for fetched in made.fetch(items, MAX)] == [b"zero", b"one", b"", b"long name"]
    assert made.captions(items) == ["caption zero", "caption one", None, None]
    assert [(item.group, item.licence) for item in items[:2]] == [(None, None), ("p1", "CC0")]
    (refused,) = made.fetch(items[:1], 3)
    assert refused.refusal is not None
    assert refused.refusal.reason is Reason.TOO_MANY_BYTES


def test_an_archive_replaced_since_the_walk_is_refused(place: Place) -> None:
    storage, root = place({"x.tar": tar([("a.jpg", b"before")])})
    made = Source(Params(path=root), storage)
    items = list(made.items())
    storage.write(join(root, "x.tar"), tar([("b.jpg", b"after!")]))
    (fetched,) = made.fetch(items, MAX)
    assert fetched.refusal is not None
    assert fetched.refusal.reason is Reason.REPLACED_SINCE_PLAN


def test_names_with_dots_keep_their_own_captions(tmp_path: Path) -> None:
    members = [
        ("1.2.840.1.dcm", b"a"),
        ("1.2.840.1.txt", b"of a"),
        ("1.2.840.2.dcm", b"b"),
        ("1.2.840.2.txt", b"of b"),
        ("x.seg.png", b"c"),
        ("x.txt", b"of x"),
    ]
    made = local(tmp_path, tar(members))
    assert made.captions(list(made.items())) == ["of a", "of b", "of x"]


def test_captions_that_cannot_be_used_are_refused(tmp_path: Path) -> None:
    members = [
        ("0.jpg", b"x"),
        ("0.txt", b"\xff\xfa"),
        ("1.jpg", b"x"),
        ("1.txt", b"x" * (MAX + 1)),
        ("2.jpg", b"x"),
        ("2.json", b'{"caption": "\\udc00"}'),
        ("3.jpg", b"x"),
        ("3.json", b"{"),
    ]
    made = local(tmp_path, tar(members))
    captions = made.captions(list(made.items()))
    assert [caption.reason for caption in captions if isinstance(caption, Refusal)] == [
        Reason.CAPTION_NOT_UTF8,
        Reason.CAPTION_TOO_LONG,
        Reason.CAPTION_NOT_UTF8,
        Reason.CAPTION_MISSING,
    ]


def test_the_order_of_extensions_is_the_order_of_preference(tmp_path: Path) -> None:
    members = [("0.json", b'{"caption": "json"}'), ("0.jpg", b"x"), ("0.txt", b"txt")]
    for extensions in (("txt", "json"), ("json", "txt")):
        made = local(tmp_path, tar(members), caption_extensions=extensions)
        assert made.captions(list(made.items())) == [extensions[0]]


def test_links_and_devices_are_no_images(tmp_path: Path) -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        for name, kind in (
            ("l.jpg", tarfile.SYMTYPE),
            ("h.jpg", tarfile.LNKTYPE),
            ("d.jpg", tarfile.CHRTYPE),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        info = tarfile.TarInfo("../../up.jpg")
        info.size = 2
        archive.addfile(info, io.BytesIO(b"up"))
    made = local(tmp_path, sink.getvalue())
    items = list(made.items())
    assert [item.name for item in items] == ["x.tar/../../up.jpg"]
    assert made.fetch(items, MAX)[0].data == b"up"


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(cut=st.integers(0, 6 * 1024 - 1))
def test_a_cut_archive_is_never_read_in_part(tmp_path: Path, cut: int) -> None:
    whole = tar([(f"{n}.jpg", bytes([n]) * 700) for n in range(1, 4)])
    end = 3 * (512 + 1024)
    made = local(tmp_path, whole[:cut])
    if cut < end + 512:
        with pytest.raises(InputError, match=r"x\.tar"):
            list(made.items())
    else:
        assert len(list(made.items())) == 3


def test_a_cut_member_is_named(tmp_path: Path) -> None:
    whole = tar([("1.jpg", b"x" * 700), ("2.jpg", b"y" * 700)])
    with pytest.raises(InputError, match=r"cut in member '2\.jpg'"):
        list(local(tmp_path, whole[: 512 + 1024 + 512 + 100]).items())


def test_joined_archives_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="joined"):
        list(local(tmp_path, tar([("1.jpg", b"x")]) + tar([("2.jpg", b"y")])).items())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, 512 * 6 - 1), value=st.integers(1, 255))
def test_a_damaged_archive_gives_all_or_an_error(tmp_path: Path, at: int, value: int) -> None:
    data = bytearray(tar([(f"{n}.jpg", b"x" * 512) for n in range(3)]))
    data[at] ^= value
    try:
        items = list(local(tmp_path, bytes(data)).items())
    except InputError:
        return
    # a changed byte in a header breaks its checksum: what is left is a change in a member's bytes or in padding
    assert [(item.name, item.length_bytes) for item in items] == [(f"x.tar/{n}.jpg", 512) for n in range(3)]


@pytest.mark.parametrize(
    ("name", "data", "complaint"),
    [
        ("x.tar.gz", b"x", "compressed"),
        ("x.tgz", b"x", "compressed"),
        ("x.zip", b"x", "no .tar"),
        ("x.tar", b"", "not a whole tar"),
        ("x.tar", b"<html>error</html>" * 100, "not a whole tar"),
    ],
)
def test_what_is_no_archive_is_named(tmp_path: Path, name: str, data: bytes, complaint: str) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(InputError, match=complaint):
        list(Source(Params(path=str(tmp_path)), Storage(StorageParams())).items())


def test_two_members_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="two members"):
        list(local(tmp_path, tar([("1.jpg", b"x"), ("1.jpg", b"y")])).items())


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    made = local(tmp_path, tar([("caf\udce9.jpg", b"x")], tarfile.GNU_FORMAT))
    (item,) = made.items()
    item.name.encode("utf-8")
    assert made.fetch([item], MAX)[0].data == b"x"
