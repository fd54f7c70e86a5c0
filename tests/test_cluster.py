"""Ray's start on a machine that is too busy for Ray's own patience."""

from __future__ import annotations

import os
from typing import Any

import pytest
import ray

from mht import cluster
from mht.errors import MhtError

SLOW = "The current node timed out during startup. This could happen because the GCS has become overloaded."


class Starts:
    """In the place of ray.init: fails as it is told to, then starts nothing."""

    def __init__(self, *failures: str) -> None:
        self.failures = list(failures)
        self.calls = 0

    def __call__(self, **settings: Any) -> None:
        self.calls += 1
        os.write(2, b"said by Ray\n")
        if self.failures:
            raise RuntimeError(self.failures.pop(0))


@pytest.fixture
def starts(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Starts:
    made = Starts(*request.param)
    for name, stand_in in (("init", made), ("shutdown", lambda: None), ("is_initialized", lambda: False)):
        monkeypatch.setattr(ray, name, stand_in)
    return made


@pytest.mark.parametrize("starts", [[SLOW, SLOW]], indirect=True)
def test_a_slow_start_is_tried_again(starts: Starts) -> None:
    cluster.start("local", 80, None)
    assert starts.calls == 3


@pytest.mark.parametrize("starts", [[SLOW] * 9], indirect=True)
def test_one_that_stays_slow_is_told_with_the_remedy(starts: Starts) -> None:
    with pytest.raises(MhtError, match="in 3 tries of 30 s; the machine is under heavy load"):
        cluster.start("local", 80, None)
    assert starts.calls == 3


@pytest.mark.parametrize("starts", [["no such cluster", ""]], indirect=True)
def test_another_failure_is_no_matter_of_patience(starts: Starts, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="no such cluster"):
        cluster.start("local", 80, None)
    assert starts.calls == 1
    assert "said by Ray" in capfd.readouterr().err
