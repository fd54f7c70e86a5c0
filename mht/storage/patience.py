"""How long to wait for a store that fails: exponential back-off with full jitter, up to a limit."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from mht.errors import StorageOutage
from mht.storage.failures import Failure, Kind, as_error, classify
from mht.storage.uris import redact

T = TypeVar("T")
Errors = tuple[type[Exception], ...]


class Attempt(Protocol):
    """Runs an operation until it succeeds or must not be tried again."""

    def __call__(self, operation: Callable[[], T]) -> T: ...


_FIRST_S = 0.05
_LONGEST_S = 10.0


@dataclass
class Patience:
    """One retry policy for every operation. `clock` gives and `sleep` takes seconds; tests pass their own."""

    limit_s: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    rng: random.Random = field(default_factory=random.Random)
    endpoint: str | None = None

    def trial(self, uri: str, stage: str) -> Trial:
        """A fresh count of failures for one operation on `uri`."""
        return Trial(self, uri, stage)

    def attempt(self, operation: Callable[[], T], errors: Errors, uri: str, stage: str) -> T:
        """The operation's result. Raises StorageOutage after the limit, other errors of ours at once."""
        trial = self.trial(uri, stage)
        while True:
            try:
                return operation()
            except errors as error:
                trial.failed(classify(error), error)


@dataclass
class Trial:
    """The failures in a row of one operation."""

    patience: Patience
    uri: str
    stage: str
    failures: int = 0
    since: float = 0.0

    def __post_init__(self) -> None:
        self.since = self.patience.clock()

    def failed(self, failure: Failure, cause: BaseException | None = None) -> None:
        """Waits before the next attempt, or raises when there must be none."""
        if failure.kind is not Kind.TRANSIENT:
            raise as_error(failure, self.uri, self.stage) from cause
        waited = self.patience.clock() - self.since
        if waited >= self.patience.limit_s and self.failures > 0:
            raise StorageOutage(self._outage(failure, waited)) from cause
        longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self.failures, 20))
        self.failures += 1
        pause = self.patience.rng.uniform(0, longest)
        self.patience.sleep(min(pause, max(0.0, self.patience.limit_s - waited)))

    def _outage(self, failure: Failure, waited: float) -> str:
        where = f" (endpoint {redact(self.patience.endpoint)})" if self.patience.endpoint else ""
        return (
            f"{redact(self.uri)!r} at {self.stage}: the store{where} failed for {waited:.0f} s in "
            f"{self.failures + 1} attempts, last {failure.detail}. The same command resumes when it is back; "
            "storage.outage_limit_s sets how long to wait."
        )
