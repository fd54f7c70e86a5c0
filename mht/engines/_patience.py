"""When to ask an endpoint again: after a wait that doubles, with full jitter, or after the time that it names.

A first failure while others are being answered is as a rule a lost connection or one bad worker of many: that request
is tried again at once, or nearly, so that a run does not end with a wait for its last few.

A failure may lie with the request or with the endpoint, and only one of them is the request's fault. It is the
request's when others have been answered since it first failed, or when no other waits: then `max_tries` ends it. When
all fail it is an outage: nobody is given up, all wait, until one is answered or `outage_limit_s` is over.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from mht.engines._answers import Answer
from mht.errors import EngineOutage
from mht.generation import Failure

_AT_ONCE_S = 0.05
# So many failures since the last answer may be chance; more are an outage, and nobody hurries.
_FEW = 4
_FIRST_S = 0.5
_LONGEST_S = 20.0
# A longer Retry-After is taken for this one; the endpoint may say it again.
_LONGEST_HOLD_S = 60.0


@dataclass(eq=False)
class Trial:
    """The failures of one request: how many, when the first was, and whether it came while all else went well."""

    failures: int = 0
    since: float = 0.0
    lone: bool = False


@dataclass
class Patience:
    """Shared by all requests of an engine. `clock` gives and `sleep` takes seconds; tests pass their own."""

    endpoint: str
    max_tries: int
    outage_limit_s: float
    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    rng: random.Random
    _ill: set[Trial] = field(default_factory=set)
    _down_since: float | None = None
    _last_failure: float = 0.0
    _last_answer: float = float("-inf")
    _held_until: float = float("-inf")

    def begin(self) -> None:
        """Time in which nobody asked is no outage."""
        if self._down_since is not None:
            self._down_since += self.clock() - self._last_failure

    def answered(self) -> None:
        """The endpoint gave somebody an answer that is not for another try."""
        self._down_since = None
        self._ill.clear()
        self._last_answer = self.clock()

    def goes_on(self, trial: Trial, answer: Answer, alone: bool) -> bool:
        """Whether the request should be tried again. Raises EngineOutage when none should.

        `alone`: no other request waits.
        """
        now = self._last_failure = self.clock()
        trial.since = trial.since if trial.failures else now
        trial.failures += 1
        well = len(self._ill) < _FEW and self._last_answer > float("-inf")
        trial.lone = well and trial.failures == 1 and answer.failure is not Failure.RATE_LIMITED
        self._down_since = now if self._down_since is None else self._down_since
        self._ill.add(trial)
        if answer.retry_after_s is not None:
            self._held_until = max(self._held_until, now + min(answer.retry_after_s, _LONGEST_HOLD_S))
        others_answered = self._last_answer > trial.since
        if trial.failures >= self.max_tries and (alone or others_answered):
            return False
        down_s = now - self._down_since
        if down_s < self.outage_limit_s:
            return True
        if answer.heard and len(self._ill) == 1:
            return False
        raise EngineOutage(
            f"{self.endpoint}: no reply for {down_s:.0f} s, last {answer.detail}. The same command resumes when it is "
            "back; outage_limit_s sets how long to wait."
        )

    async def pause(self, trial: Trial) -> None:
        """Waits before the next try of a request that failed."""
        longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(trial.failures - 1, 20))
        longest = _AT_ONCE_S if trial.lone else longest
        await self.sleep(self.rng.uniform(0, longest))
        await self.ready()

    async def ready(self) -> None:
        """Waits as long as the endpoint asked everybody to; not all come back in the same instant."""
        while (wait := self._held_until - self.clock()) > 0:
            await self.sleep(wait + self.rng.uniform(0, wait / 4))
