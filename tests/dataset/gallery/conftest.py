"""One browser for the tests that need one."""

from collections.abc import Iterator

import pytest

from tests.browser import CHROMIUM, Browser


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium)")
    with Browser() as started:
        yield started
