"""R24: a store that takes requests and never answers is noticed, told, tried again, and given up in the end."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.dataset.disturb import Once, build_disturbed
from tests.dataset.loopback import Loopback, loopback
from tests.dataset.oracle import build_here, rows_of

pytestmark = pytest.mark.timeout(900)
SLACK = 3
STALL_S = 5
# Longer than the watch's patience: a request that times out earlier is a failure and no stall.
HANGING = (f"build.stall_s={STALL_S}", "storage.read_timeout_s=120")


@pytest.fixture(scope="module")
def filled(phantoms: Path) -> Iterator[Loopback]:
    with loopback(phantoms) as store:
        yield store


@pytest.fixture
def s3(filled: Loopback) -> Iterator[Loopback]:
    filled.clean()
    yield filled
    filled.clean()


class Told(logging.Handler):
    """What the build says of stalls, and when; at the first one the store answers again."""

    def __init__(self, s3: Loopback, hang: Once) -> None:
        super().__init__()
        self._s3 = s3
        self._hang = hang
        self.after_s: list[float] = []
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if self._hang.done_at is None:
            return  # a machine so busy that an ordinary step took longer
        self.after_s.append(record.created - self._hang.done_at)
        self.messages.append(record.getMessage())
        self._s3.server.restore()


def test_r24_a_stall_is_noticed_told_and_requeued(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    output = "s3://out/hang"
    hang = Once(lambda: s3.committed(output) >= 3, s3.server.hang)
    told = Told(s3, hang)
    logging.getLogger("mht").addHandler(told)
    try:
        build_here(*s3.words(output, *HANGING, "build.stall_tries=20"), pulse=hang.pulse)
    finally:
        logging.getLogger("mht").removeHandler(told)
    print(f"figures R24: told {told.after_s} s after the hang began: {told.messages}")
    assert told.after_s[0] <= (STALL_S + 5) * SLACK
    for word in ("shard ", " at ", " in process ", " on node ", "no sign of life for", "killed and requeued"):
        assert word in told.messages[0]
    assert rows_of(output, s3.params) == undisturbed


def test_r24_after_the_tries_the_build_ends_and_resumes(
    ray_cluster: None, s3: Loopback, undisturbed: dict[str, str]
) -> None:
    output = "s3://out/hang-on"
    words = s3.words(output, *HANGING, "build.stall_tries=3")
    ended = build_disturbed(words, s3.server.env, lambda: s3.committed(output) >= 3, s3.server.hang)
    print(f"figures R24: exit {ended.code} {ended.took_s:.1f} s after the hang began\n{ended.err}")
    assert ended.code == 75, ended.err
    assert ended.took_s <= (3 * (STALL_S + 5) + 15) * SLACK
    assert "Traceback" not in ended.err
    assert "killed and requeued (1 of 3)" in ended.err
    assert "killed and requeued (2 of 3)" in ended.err
    assert "3 times. Look at the storage's and the node's health; the same command resumes." in ended.err
    s3.server.restore()
    before = s3.commits(output)
    build_here(*s3.words(output))
    assert rows_of(output, s3.params) == undisturbed
    after = s3.commits(output)
    assert {name: after[name] for name in before} == before, "a committed shard was made again"
