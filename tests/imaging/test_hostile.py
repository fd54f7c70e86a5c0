"""The hostile corpus through the real guard: each file its own reason, none its child's end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from mht.imaging.guard import Decoded, DecoderGuard
from mht.imaging.params import ImagingParams
from mht.records import NormalisedImage, Reason, Refusal
from tests.imaging.hostile import CANARIES, OK, HostileCase, corpus

GIB = 1 << 30


@dataclass(frozen=True)
class Run:
    """What the guard made of the corpus, the child's size (bytes) after each file, its pids and its peak."""

    decoded: dict[str, Decoded]
    sizes: list[int]
    pids: set[int]
    peak: int


@pytest.fixture(scope="module")
def run() -> Iterator[Run]:
    cases = corpus()
    decoded, sizes, pids = {}, [], set()
    with DecoderGuard(ImagingParams()) as guard:
        for case, result in zip(cases, guard.normalise([c.data for c in cases]), strict=True):
            decoded[case.name] = result
            pids.add(guard.child_pid)
            sizes.append(psutil.Process(guard.child_pid).memory_info().rss)
        yield Run(decoded, sizes, pids, _peak(guard.child_pid))


def _peak(pid: int) -> int:
    """The most memory that the process ever held, where the system tells."""
    if not sys.platform.startswith("linux"):
        return 0
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


@pytest.mark.parametrize("case", corpus(), ids=lambda case: case.name)
def test_outcome(case: HostileCase, run: Run) -> None:
    decoded = run.decoded[case.name]
    if case.outcome == OK:
        assert isinstance(decoded.result, NormalisedImage), decoded.result
        if case.check is not None:
            case.check(decoded.result)
    else:
        assert isinstance(decoded.result, Refusal)
        assert decoded.result.reason == Reason(case.outcome), decoded.result
    assert decoded.attempts == 1


def test_one_child_of_under_1_gib_survives_them_all(run: Run) -> None:
    assert len(run.pids) == 1
    assert max(*run.sizes, run.peak) < GIB


def test_no_canary_leaves_the_child(run: Run) -> None:
    assert all(any(c.encode() in case.data for case in corpus()) for c in CANARIES), "no canary was planted"
    for name, decoded in run.decoded.items():
        said = repr(decoded).encode()
        said += decoded.result.data if isinstance(decoded.result, NormalisedImage) else b""
        assert not [canary for canary in CANARIES if canary.encode() in said], name


def test_every_refusal_has_a_remedy_and_fits_a_line(run: Run) -> None:
    for decoded in run.decoded.values():
        if isinstance(decoded.result, Refusal):
            assert 20 < len(decoded.result.detail) < 200
            assert decoded.result.detail.isprintable()


def test_every_reason_about_bytes_and_images_has_a_case() -> None:
    seen = {case.outcome for case in corpus()}
    elsewhere = {Reason.DECODER_CRASHED, Reason.DECODER_TIMEOUT, Reason.OUT_OF_MEMORY}  # test_guard
    reasons = list(Reason)
    family = reasons[reasons.index(Reason.NOT_AN_IMAGE) : reasons.index(Reason.OUT_OF_MEMORY) + 1]
    assert set(family) - elsewhere <= seen
