"""Something goes wrong in mid-build: at an event, such as the k-th commit, and never after a time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.dataset.oracle import start_mht, wait_for


class Once:
    """Does something at the first pulse of a build at which it is time, and remembers when."""

    def __init__(self, when: Callable[[], bool], do: Callable[[], None]) -> None:
        self._when = when
        self._do = do
        self.done_at: float | None = None

    def pulse(self) -> None:
        if self.done_at is None and self._when():
            self.done_at = time.time()
            self._do()


@dataclass(frozen=True)
class Ended:
    """How an `mht build` ended that was disturbed, and how long after that."""

    code: int
    err: str
    took_s: float


def build_disturbed(
    words: Sequence[str], env: dict[str, str], when: Callable[[], bool], do: Callable[[], None]
) -> Ended:
    """Runs `mht build` in a process of its own, disturbs it once it is time, and waits for its end."""
    driver = start_mht("build", *words, env=env)
    try:
        wait_for(when, driver)
        do()
        began = time.monotonic()
        _, err = driver.communicate(timeout=500)
        return Ended(driver.returncode, err, time.monotonic() - began)
    except subprocess.TimeoutExpired:
        raise AssertionError("the build did not end") from None
    finally:
        driver.kill()
        driver.communicate()
