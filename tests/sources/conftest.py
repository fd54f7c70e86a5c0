"""The same files in a folder, on S3 and in fsspec's memory."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from mht.storage import Storage, StorageParams, join
from tests.s3_server import CREDENTIALS, S3Server, start_s3

_numbers = itertools.count()


@pytest.fixture(scope="session")
def source_s3() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch, start_s3("bucket") as server:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield server


Place = Callable[[Mapping[str, bytes]], tuple[Storage, str]]


@pytest.fixture(params=["local", "s3", "memory"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Puts files somewhere and gives the storage and the root to find them."""
    number = next(_numbers)
    params = StorageParams()
    root = {"local": str(tmp_path / "in"), "s3": f"s3://bucket/in{number}", "memory": f"memory://in{number}"}
    if request.param == "s3":
        params = StorageParams(endpoint_url=request.getfixturevalue("source_s3").endpoint_url)

    def put(files: Mapping[str, bytes]) -> tuple[Storage, str]:
        storage = Storage(params)
        for name, data in files.items():
            storage.write(join(root[request.param], name), data)
        return storage, root[request.param]

    return put
