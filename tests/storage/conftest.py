"""A loopback S3 for the module's tests, its credentials in the environment, and storages that do not sleep long."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from mht.storage import Storage, StorageParams
from tests.s3_server import CREDENTIALS, Faults, S3Server, start_s3


@pytest.fixture(scope="session", autouse=True)
def credentials() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in CREDENTIALS.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="session")
def s3_process(credentials: None) -> Iterator[S3Server]:
    with start_s3("bucket") as server:
        yield server


@pytest.fixture
def s3(s3_process: S3Server) -> Iterator[S3Server]:
    """The S3 without faults, before and after."""
    yield s3_process
    s3_process.restore()
    s3_process.set_faults(Faults())


class FakeClock:
    """Seconds that pass only when someone sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def s3_storage(s3: S3Server, clock: FakeClock) -> Callable[..., Storage]:
    def make(**settings: float) -> Storage:
        params = StorageParams(endpoint_url=s3.endpoint_url, **settings)  # type: ignore[arg-type]
        return Storage(params, clock=clock, sleep=clock.sleep)

    return make
