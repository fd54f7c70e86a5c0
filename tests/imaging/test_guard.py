"""The guard against children that die, hang, babble and lie; the real child's limits; no orphans."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from mht.errors import ConfigError
from mht.imaging.guard import Decoded, DecoderGuard
from mht.imaging.params import ImagingParams
from mht.imaging.process import environment
from mht.records import NormalisedImage, Reason, Refusal
from tests.imaging.hostile import save, scene

FAKE = (sys.executable, "-P", "-m", "tests.imaging.fake_child")
PATIENT = ImagingParams(child_timeout_s=60)
HASTY = ImagingParams(child_timeout_s=1)


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    return save(scene(), "JPEG")


@pytest.fixture(scope="module")
def fake() -> Iterator[DecoderGuard]:
    with DecoderGuard(PATIENT, command=FAKE) as guard:
        yield guard


def reasons(results: Iterator[Decoded]) -> list[tuple[str, int]]:
    """Each result's reason, or the detail that the fake child sent where it obeyed, with the attempts."""
    found = []
    for decoded in results:
        assert isinstance(decoded.result, Refusal)
        is_quote = decoded.result.reason is Reason.CORRUPT
        found.append((decoded.result.detail if is_quote else str(decoded.result.reason), decoded.attempts))
    return found


def wait_until_gone(pid: int) -> None:
    for _ in range(600):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return
        time.sleep(0.05)
    raise AssertionError(f"process {pid} is still there")


def test_results_come_in_order(fake: DecoderGuard) -> None:
    names = [f"image-{i}" for i in range(300)]
    assert reasons(fake.normalise([n.encode() for n in names])) == [(n, 1) for n in names]


def test_an_empty_batch_has_no_results(fake: DecoderGuard) -> None:
    assert list(fake.normalise([])) == []


def test_a_batch_begun_is_finished_when_the_next_one_comes(fake: DecoderGuard) -> None:
    first = fake.normalise([b"a", b"b", b"c"])
    next(first)
    second = fake.normalise([b"d"])
    assert reasons(first) == [("b", 1), ("c", 1)]
    assert reasons(second) == [("d", 1)]


@pytest.mark.parametrize(
    "order",
    ["segfault", "exit", "babble", "nonsense", "other", "long", "negative", "hollow", "raise"],
)
def test_a_fatal_image_is_tried_twice_and_the_others_do_not_notice(fake: DecoderGuard, order: str) -> None:
    batch = [b"before", order.encode(), b"after", b"last"]
    fatal = (str(Reason.DECODER_CRASHED), 2)
    assert reasons(fake.normalise(batch)) == [("before", 1), fatal, ("after", 1), ("last", 1)]


def test_fatal_images_in_a_row_and_at_both_ends(fake: DecoderGuard) -> None:
    fatal = (str(Reason.DECODER_CRASHED), 2)
    batch = [b"exit", b"exit", b"between", b"exit"]
    assert reasons(fake.normalise(batch)) == [fatal, fatal, ("between", 1), fatal]


def test_a_flood_without_a_line_end_is_no_answer(fake: DecoderGuard) -> None:
    assert reasons(fake.normalise([b"flood", b"after"])) == [("decoder_crashed", 2), ("after", 1)]


def test_an_image_that_kills_the_first_child_only_is_kept(fake: DecoderGuard, tmp_path: Path) -> None:
    batch = [b"once %b segfault" % os.fsencode(tmp_path / "mark"), b"after"]
    assert reasons(fake.normalise(batch)) == [("came back", 2), ("after", 1)]


def test_out_of_memory_is_tried_again_in_a_new_child(fake: DecoderGuard, tmp_path: Path) -> None:
    batch = [b"oom", b"once %b oom" % os.fsencode(tmp_path / "mark"), b"after"]
    assert reasons(fake.normalise(batch)) == [("oom", 2), ("came back", 2), ("after", 1)]


@pytest.mark.parametrize("order", ["hang", "close"])
def test_a_child_that_falls_silent_is_killed(order: str) -> None:
    with DecoderGuard(HASTY, command=FAKE) as guard:
        results = guard.normalise([b"before", order.encode(), b"after"])
        before = guard.child_pid
        expected = "decoder_timeout" if order == "hang" else "decoder_crashed"
        assert reasons(results) == [("before", 1), (expected, 2), ("after", 1)]
        assert guard.child_pid != before
        wait_until_gone(before)


def test_a_child_that_died_in_idleness_costs_no_attempt(fake: DecoderGuard) -> None:
    assert reasons(fake.normalise([b"a"])) == [("a", 1)]
    process = psutil.Process(fake.child_pid)
    process.kill()
    process.wait()
    assert reasons(fake.normalise([b"b"])) == [("b", 1)]


@pytest.mark.parametrize(
    ("command", "clue"),
    [
        ((sys.executable, "-c", "raise SystemExit('no decoder here')"), "no decoder here"),
        ((sys.executable, "-c", "print('hello')"), "does not start"),
        (("/nonexistent/python",), "cannot be started"),
    ],
)
def test_a_child_that_does_not_start_is_an_error_with_a_remedy(command: tuple[str, ...], clue: str) -> None:
    with pytest.raises(ConfigError, match=clue), DecoderGuard(PATIENT, command=command) as guard:
        list(guard.normalise([b"a", b"b"]))


def test_a_child_that_never_says_ready_is_an_error() -> None:
    params = ImagingParams(child_start_s=0.2)
    command = (sys.executable, "-c", "import time; time.sleep(600)")
    with DecoderGuard(params, command=command) as guard, pytest.raises(ConfigError, match="child_start_s"):
        list(guard.normalise([b"a"]))


def test_what_needs_no_decoder_is_refused_without_one(fake: DecoderGuard) -> None:
    big = bytes(PATIENT.max_bytes + 1)
    results = list(fake.normalise([b"", big, b"after"]))
    assert [d.result.reason for d in results[:2] if isinstance(d.result, Refusal)] == [
        Reason.EMPTY_FILE,
        Reason.TOO_MANY_BYTES,
    ]


def test_a_closed_guard_has_no_child_and_takes_no_work(jpeg: bytes) -> None:
    guard = DecoderGuard(PATIENT)
    results = guard.normalise([jpeg, jpeg])
    next(results)
    pid = guard.child_pid
    guard.close()
    guard.close()
    wait_until_gone(pid)
    with pytest.raises(ValueError, match="closed"):
        next(results)
    with pytest.raises(ValueError, match="closed"):
        guard.normalise([jpeg])


def test_a_forgotten_guard_takes_its_child_along() -> None:
    guard = DecoderGuard(PATIENT, command=FAKE)
    assert len(list(guard.normalise([b"a"]))) == 1
    pid = guard.child_pid
    del guard
    gc.collect()
    wait_until_gone(pid)


def test_the_guard_leaves_no_descriptors_behind(jpeg: bytes) -> None:
    with DecoderGuard(PATIENT, command=FAKE) as guard:
        list(guard.normalise([b"a"]))
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    for _ in range(2):
        with DecoderGuard(PATIENT, command=FAKE) as guard:
            list(guard.normalise([b"segfault", b"a"]))
    after = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    assert after == before


def test_the_environment_names_no_account(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SECRET_ACCESS_KEY", "HF_TOKEN", "RAY_AUTH_TOKEN", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "canary")
    assert "canary" not in environment().values()
    assert environment()["OMP_NUM_THREADS"] == "1"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_the_real_child_is_confined(jpeg: bytes) -> None:
    with DecoderGuard(ImagingParams(child_memory_mib=768)) as guard:
        (decoded,) = guard.normalise([jpeg])
        assert isinstance(decoded.result, NormalisedImage)
        limits = Path(f"/proc/{guard.child_pid}/limits").read_text()
        held = {line[:25].strip(): line[25:].split()[0] for line in limits.splitlines()[1:]}
        assert held["Max address space"] == str(768 << 20)
        assert held["Max core file size"] == held["Max file size"] == held["Max processes"] == "0"
        variables = Path(f"/proc/{guard.child_pid}/environ").read_bytes()
        assert b"AWS_" not in variables
        assert b"RAY_" not in variables


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's part is Linux's")
@pytest.mark.parametrize("command", ["CHILD", "FAKE"])
@pytest.mark.parametrize("in_thread", [False, True])
def test_no_orphan_when_the_parent_is_killed(command: str, in_thread: bool) -> None:
    """The parent gets SIGKILL while its child is busy: with FAKE, in a native loop that holds the GIL."""
    script = f"""
import sys, threading
from mht.imaging.guard import DecoderGuard
from mht.imaging.params import ImagingParams
from mht.imaging.process import CHILD
from tests.imaging.test_guard import FAKE
def work():
    guard = DecoderGuard(ImagingParams(child_timeout_s=300), command={command})
    results = guard.normalise([b"a", b"hang"])
    next(results)
    print(guard.child_pid, flush=True)
    {"next(results)" if command == "FAKE" else "sys.stdin.read()"}
thread = threading.Thread(target=work)
{"thread.start(); thread.join()" if in_thread else "work()"}
"""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environ
    ) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        wait_until_gone(child)
