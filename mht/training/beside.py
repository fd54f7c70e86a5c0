"""A tracker beside the training: what it waits for holds nothing up, and what it cannot do ends nothing."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

_CLOSE_S = 10.0


class Tracker(Protocol):
    """Takes figures by name; a step is the number of steps taken."""

    def log(self, step: int, figures: Mapping[str, float]) -> None: ...
    def keep(self) -> None: ...
    def close(self) -> None: ...


class Beside:
    """A tracker that is made by `make` and called in one thread of its own, in order.

    What `make` raises is raised here; what a call raises is given to `warn`, the same words once in a row, and the next
    call is tried. `close` waits at most `close_s` for what is left.
    """

    def __init__(
        self, make: Callable[[], Tracker], warn: Callable[[str], None], close_s: float = _CLOSE_S
    ) -> None:
        self._make = make
        self._warn = warn
        self._close_s = close_s
        self._said = ""
        self._waiting: queue.SimpleQueue[Callable[[Tracker], None] | None] = queue.SimpleQueue()
        self._keeping = threading.Event()
        self._made = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, name="tracker", daemon=True)
        self._thread.start()
        self._made.wait()
        if self._failure is not None:
            raise self._failure

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        given = dict(figures)
        self._waiting.put(lambda tracker: tracker.log(step, given))

    def keep(self) -> None:
        """Asked again before it was begun, it is done once."""
        if not self._keeping.is_set():
            self._keeping.set()
            self._waiting.put(self._keep)

    def close(self) -> None:
        """Keep what there is, and end; the second time nothing happens."""
        self.keep()
        self._waiting.put(None)
        self._thread.join(self._close_s)

    def _keep(self, tracker: Tracker) -> None:
        self._keeping.clear()
        tracker.keep()

    def _work(self) -> None:
        try:
            tracker = self._make()
        except BaseException as error:  # noqa: BLE001 - raised where the tracker was asked for
            self._failure = error
            return
        finally:
            self._made.set()
        while (call := self._waiting.get()) is not None:
            self._try(call, tracker)
        self._try(lambda one: one.close(), tracker)

    def _try(self, call: Callable[[Tracker], None], tracker: Tracker) -> None:
        try:
            call(tracker)
        except Exception as error:  # noqa: BLE001 - other people's packages and networks; the training goes on
            said = f"{type(tracker).__name__} misses figures: {error}"
            if said != self._said:
                self._warn(said)
            self._said = said
