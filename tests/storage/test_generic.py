"""Stores that are reached through fsspec's asynchronous interface, as gs:// is, with a fake of one."""

from __future__ import annotations

import errno
from collections import Counter
from typing import Any

import fsspec
import pytest
from fsspec.asyn import AsyncFileSystem

from mht.records import Reason, Refusal
from mht.storage import ReadRequest, Storage, StorageParams


class FakeCloud(AsyncFileSystem):  # type: ignore[misc]
    """Objects in a dict. Each name breaks as often as `broken` says; an answer to a create can get lost."""

    protocol = "fakecloud"
    objects: dict[str, bytes] = {}  # noqa: RUF012 - one cloud for every instance
    broken: Counter[str] = Counter()  # noqa: RUF012
    lost: Counter[str] = Counter()  # noqa: RUF012

    def _break(self, path: str) -> None:
        if self.broken[path] > 0:
            self.broken[path] -= 1
            raise ConnectionResetError(errno.ECONNRESET, "reset")

    async def _info(self, path: str, **_: Any) -> dict[str, Any]:
        if path not in self.objects:
            raise FileNotFoundError(path)
        data = self.objects[path]
        return {"name": path, "type": "file", "size": len(data), "etag": f'"{hash(data)}"'}

    async def _find(self, path: str, **_: Any) -> dict[str, Any]:
        return {
            name: await self._info(name) for name in self.objects if name.startswith(path.rstrip("/") + "/")
        }

    async def _ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        return list(await self._find(path))

    async def _cat_file(self, path: str, start: int | None = None, end: int | None = None, **_: Any) -> bytes:
        self._break(path)
        return self.objects[path][start:end]

    async def _pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        self._break(path)
        if mode == "create" and path in self.objects:
            raise FileExistsError(path)
        self.objects[path] = value
        if self.lost[path] > 0:
            self.lost[path] -= 1
            raise ConnectionResetError(errno.ECONNRESET, "reset after the write")

    async def _rm_file(self, path: str, **_: Any) -> None:
        del self.objects[path]


@pytest.fixture
def cloud() -> type[FakeCloud]:
    fsspec.register_implementation("fakecloud", FakeCloud, clobber=True)
    for kept in (FakeCloud.objects, FakeCloud.broken, FakeCloud.lost):
        kept.clear()
    return FakeCloud


@pytest.fixture
def storage(cloud: type[FakeCloud]) -> Storage:
    return Storage(StorageParams(concurrency=4), sleep=lambda _: None)


def test_many_are_read_although_some_break(storage: Storage, cloud: type[FakeCloud]) -> None:
    for number in range(30):
        storage.write(f"fakecloud://b/in/{number:02}", b"body %d" % number)
        cloud.broken[f"b/in/{number:02}"] = number % 3
    found = list(storage.list("fakecloud://b/in"))
    assert [f.name for f in found] == [f"{number:02}" for number in range(30)]
    bodies = storage.read_many([ReadRequest(f.uri, None, None, 99, f.size_bytes, f.version) for f in found])
    assert bodies == [b"body %d" % number for number in range(30)]


def test_reasons(storage: Storage) -> None:
    storage.write("fakecloud://b/x", b"12345")
    results = storage.read_many(
        [
            ReadRequest("fakecloud://b/none"),
            ReadRequest("fakecloud://b/x", max_bytes=4),
            ReadRequest("fakecloud://b/x", size_bytes=4),
            ReadRequest("fakecloud://b/x", offset=1, length=3),
        ]
    )
    assert [result.reason if isinstance(result, Refusal) else result for result in results] == [
        Reason.MISSING_OBJECT,
        Reason.TOO_MANY_BYTES,
        Reason.REPLACED_SINCE_PLAN,
        b"234",
    ]


def test_create_after_a_lost_answer(storage: Storage, cloud: type[FakeCloud]) -> None:
    cloud.lost["b/commit"] = 1
    assert storage.create("fakecloud://b/commit", b"mine")
    assert not storage.create("fakecloud://b/commit", b"theirs")


def test_the_write_probe(storage: Storage, cloud: type[FakeCloud]) -> None:
    storage.check_writable("fakecloud://b/out")
    assert cloud.objects == {}
