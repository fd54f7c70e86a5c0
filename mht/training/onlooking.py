"""Who follows a rank: the trackers and the driver hear of each step from the first rank, the others say nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from mht.training.beside import Tracker
from mht.training.history import History, figures_of
from mht.training.progress import Beat
from mht.training.utilisation import Arithmetic, memory_bytes

Tell = Callable[[Beat], bool]
"""Hands a beat to the driver; whether the driver wants the run to stop."""
Report = Callable[[Mapping[str, float]], None]
"""Takes what a validation found and the steps taken by then, on every rank alike."""
_DRAWN = ("loss", "learning_rate", "norm", "margin", "preferred")


class Quiet:
    """The onlooker of every rank but the first: it only reports."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def stepped(self, history: History) -> None:
        """Nothing."""

    def validated(self, history: History) -> None:
        self._report(_reported(history))

    def validating(self, history: History, share: float) -> bool:
        return False

    def saved(self, history: History) -> None:
        """Nothing."""

    def stopping(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing."""


class Telling:
    """The first rank's: figures to the trackers, a beat to the driver. `begun` is what this process goes on from."""

    def __init__(
        self,
        trackers: Sequence[Tracker],
        tell: Tell,
        report: Report,
        total: int,
        arithmetic: Arithmetic,
        device: torch.device,
        world: int,
        begun: History,
    ) -> None:
        self._trackers = trackers
        self._tell = tell
        self._report = report
        self._total = total
        self._arithmetic = arithmetic
        self._device = device
        self._world = world
        self._stop = False
        self._seconds = begun.seconds
        self._totals = {name: begun.total(name) for name in ("exchanges", "tokens")}
        self.utilisation: float | None = None
        """Of the last step."""

    def stepped(self, history: History) -> None:
        last = {name: values[-1] for name, values in history.columns.items()}
        seconds = max(1e-9, history.seconds - self._seconds)
        self._seconds = history.seconds
        self.utilisation = self._arithmetic.share(last["tokens"] / seconds, self._world)
        for name in self._totals:
            self._totals[name] += last[name]
        figures = {f"train/{name}": last[name] for name in _DRAWN if last[name] is not None}
        figures |= {
            "train/samples_per_s": last["exchanges"] / seconds,
            "train/tokens_per_s": last["tokens"] / seconds,
        }
        self._log(history.steps, figures)
        self._stop |= self._tell(
            Beat(
                history.steps, self._total, last["epoch"], last["loss"], self._totals["exchanges"],
                self._totals["tokens"], memory_bytes(self._device), self.utilisation,
            )
        )  # fmt: skip

    def validated(self, history: History) -> None:
        found = figures_of(history.validations[-1])
        self._log(history.steps, {f"held_out/{name}": value for name, value in found.items()})
        self._report(_reported(history))

    def validating(self, history: History, share: float) -> bool:
        steps = history.steps
        self._stop |= self._tell(Beat(steps, self._total, 0, 0.0, 0, 0, 0, None, validated=share))
        return self._stop

    def saved(self, history: History) -> None:
        for tracker in self._trackers:
            tracker.keep()

    def stopping(self) -> bool:
        return self._stop

    def close(self) -> None:
        for tracker in self._trackers:
            tracker.close()

    def _log(self, step: int, figures: dict[str, float]) -> None:
        for tracker in self._trackers:
            tracker.log(step, figures)


def _reported(history: History) -> dict[str, float]:
    return {"step": history.steps, **figures_of(history.validations[-1])}
