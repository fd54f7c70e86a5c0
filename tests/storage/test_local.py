"""The local file system: atomic writes, links, odd names, a full disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from mht.errors import DiskFull, StorageDenied, StorageMissing
from mht.records import Reason, Refusal
from mht.storage import ReadRequest, Storage, StorageParams


@pytest.fixture
def storage() -> Storage:
    return Storage(StorageParams())


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command here")
    if done.returncode != 0:
        pytest.skip(f"a small tmpfs may not be mounted here: {done.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def reasons(storage: Storage, root: Path) -> dict[str, str]:
    found = list(storage.list(str(root)))
    bodies = storage.read_many(
        [ReadRequest(f.uri, None, None, 1 << 20, f.size_bytes, f.version) for f in found]
    )
    return {
        f.name: body.reason.value if isinstance(body, Refusal) else "read"
        for f, body in zip(found, bodies, strict=True)
    }


def test_what_is_added_stands_after_what_was_there(storage: Storage, tmp_path: Path) -> None:
    target = tmp_path / "a" / "b" / "lines"
    assert storage.append(str(target), b"one\n")
    assert storage.append(str(target), b"two\n")
    assert storage.read(str(target)) == b"one\ntwo\n"
    assert not storage.append("memory://appended/lines", b"one\n")
    assert not storage.exists("memory://appended/lines")


def test_a_full_disk_is_named_when_something_is_added(storage: Storage, small_disk: Path) -> None:
    target = small_disk / "lines"
    storage.append(str(target), b"one\n")
    with pytest.raises(DiskFull, match="bytes free"):
        storage.append(str(target), bytes(3 << 20))
    assert storage.read(str(target)).startswith(b"one\n")


def test_a_full_disk_is_named_and_leaves_no_half_file(storage: Storage, small_disk: Path) -> None:
    target = small_disk / "out" / "shard.parquet"
    for operation in (storage.write, storage.create):
        with pytest.raises(DiskFull) as caught:
            operation(str(target), bytes(3 << 20))
        assert str(small_disk) in str(caught.value)
        assert "bytes free" in str(caught.value)
        assert caught.value.exit_code == 74
        assert os.listdir(small_disk / "out") == []
    storage.write(str(target), b"fits")
    assert storage.read(str(target)) == b"fits"


def test_a_write_that_fails_leaves_the_old_object(storage: Storage, small_disk: Path) -> None:
    target = str(small_disk / "x")
    storage.write(target, b"old")
    with pytest.raises(DiskFull):
        storage.write(target, bytes(3 << 20))
    assert storage.read(target) == b"old"


def test_links_are_followed_inside_the_root_only(storage: Storage, tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"secret")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "y.png").write_bytes(b"secret")
    (root / "real" / "x.png").write_bytes(b"x")
    (root / "inside.png").symlink_to(root / "real" / "x.png")
    (root / "outside.png").symlink_to(tmp_path / "secret.png")
    (root / "outside").symlink_to(tmp_path / "elsewhere")
    (root / "folder").symlink_to(root / "real")
    (root / "circle").symlink_to(root)
    (root / "gone.png").symlink_to(root / "nothing.png")
    assert reasons(storage, root) == {
        "folder/x.png": "read",
        "gone.png": "missing_object",
        "inside.png": "read",
        "outside": "unreadable_object",
        "outside.png": "unreadable_object",
        "real/x.png": "read",
    }


def test_links_to_each_other_end(storage: Storage, tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / name).mkdir()
        (tmp_path / name / "x.png").write_bytes(b"x")
    (tmp_path / "a" / "to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to_a").symlink_to(tmp_path / "a")
    (tmp_path / "self").symlink_to(tmp_path / "self")
    found = reasons(storage, tmp_path)
    assert {"a/x.png", "b/x.png"} <= set(found)
    assert len(found) < 10


def test_names_that_are_not_utf8_are_read_and_can_be_stored(storage: Storage, tmp_path: Path) -> None:
    raw = os.path.join(os.fsencode(tmp_path), b"caf\xe9 50%\n.png")
    with open(raw, "wb") as file:
        file.write(b"bytes")
    (found,) = storage.list(str(tmp_path))
    assert found.name == "caf\\xe9 50%\n.png"
    (found.name + found.uri).encode("utf-8")
    assert storage.read(found.uri) == b"bytes"


def test_a_fifo_and_a_folder_are_no_objects(storage: Storage, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    bodies = storage.read_many([ReadRequest(str(tmp_path / name)) for name in ("pipe.png", "folder.png")])
    assert [body.reason for body in bodies if isinstance(body, Refusal)] == [Reason.UNREADABLE_OBJECT] * 2
    assert list(storage.list(str(tmp_path))) == []


@pytest.mark.parametrize("name", ["x" * 300 + ".png", "a\0b.png", "x/" * 3000])
def test_impossible_names_are_missing_objects(storage: Storage, tmp_path: Path, name: str) -> None:
    (tmp_path / "good").write_bytes(b"good")
    good, bad = storage.read_many([ReadRequest(str(tmp_path / "good")), ReadRequest(f"{tmp_path}/{name}")])
    assert good == b"good"
    assert isinstance(bad, Refusal)
    assert bad.reason is Reason.MISSING_OBJECT


def test_a_sparse_file_of_5_gib_is_refused_from_its_size(storage: Storage, tmp_path: Path) -> None:
    with open(tmp_path / "huge.dcm", "wb") as file:
        file.truncate(5 << 30)
    (found,) = storage.list(str(tmp_path))
    for size in (found.size_bytes, None):
        (body,) = storage.read_many([ReadRequest(found.uri, None, None, 64 << 20, size, found.version)])
        assert isinstance(body, Refusal)
        assert body.reason is Reason.TOO_MANY_BYTES


def test_a_killed_writers_leftover_is_not_listed(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / ".0123456789abcdef.mht-partial").write_bytes(b"half")
    storage.write(str(tmp_path / "x"), b"whole")
    assert [found.name for found in storage.list(str(tmp_path))] == ["x"]


def test_a_relative_folder_lists_absolute_addresses(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").write_bytes(b"x")
    monkeypatch.chdir(tmp_path)
    (found,) = storage.list("in")
    monkeypatch.chdir("/")
    assert storage.read(found.uri) == b"x"


def test_writes_obey_the_umask(storage: Storage, tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        storage.write(str(tmp_path / "x"), b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o640


def test_a_missing_folder_and_a_file_in_the_way(storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(StorageMissing):
        list(storage.list(str(tmp_path / "none")))
    with pytest.raises(StorageMissing):
        storage.check_readable(str(tmp_path / "none"))
    with pytest.raises(StorageMissing):
        storage.check_writable(str(tmp_path / "file" / "below"))


def test_a_folder_without_rights_is_denied(storage: Storage, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read and write everything")
    closed = tmp_path / "closed"
    closed.mkdir()
    (closed / "x").write_bytes(b"x")
    closed.chmod(0o000)
    try:
        with pytest.raises(StorageDenied):
            storage.check_readable(str(closed))
        with pytest.raises(StorageDenied):
            storage.check_writable(str(closed))
    finally:
        closed.chmod(0o700)
        shutil.rmtree(closed)


def test_without_hard_links_create_still_makes_one(
    storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(source: str, target: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_link)
    assert storage.create(str(tmp_path / "x"), b"1")
    assert not storage.create(str(tmp_path / "x"), b"2")
    assert (tmp_path / "x").read_bytes() == b"1"
