"""The training loop of one rank: prepare, step, log, validate, checkpoint. Torch, never Ray.

On one GPU it needs nothing around it: an iterable of prepared examples, and somewhere to keep checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Protocol, TypeAlias

import torch

from mht.errors import Diverged
from mht.model.conversation import Prepared
from mht.model.optimizer import Schedule, set_rate
from mht.seeds import row_seed
from mht.training.history import History
from mht.training.memory import STEPPING, VALIDATING, remedied
from mht.training.step import Stepped
from mht.training.trainee import Trainee

Fed: TypeAlias = tuple[int, int, list[Prepared]]
"""(step, epoch, what this rank learns in it, which may be nothing)."""


@dataclass(frozen=True, slots=True)
class Rhythm:
    """What happens when. `total` is the number of steps, `seed` draws the dropout of each."""

    total: int
    save_every: int
    validate_every: int
    schedule: Schedule
    seed: int


class Keeper(Protocol):
    """Where checkpoints go: `mht.model.checkpoint.Checkpoints`."""

    def save(self, step: int, module: Any, optimizer: Any, trainer: Mapping[str, Any]) -> None: ...
    def wait(self) -> None: ...


class Validate(Protocol):
    """Measures held-out rows, on every rank at once: `mht.training.validation.Validation`."""

    @property
    def rows(self) -> str:
        """A digest of what is measured."""

    def __call__(self, stopping: Callable[[float], bool]) -> dict[str, float] | None:
        """The figures. `stopping` takes the share that is done; None where it was true of any rank."""


class Onlooker(Protocol):
    """Who is told how it goes, on every rank; `stopping` is whether this rank was asked to stop.

    `validating` is told which share of the held-out rows is done, and says the same.
    """

    def stepped(self, history: History) -> None: ...
    def validating(self, history: History, share: float) -> bool: ...
    def validated(self, history: History) -> None: ...
    def saved(self, history: History) -> None: ...
    def stopping(self) -> bool: ...
    def close(self) -> None: ...


def train(
    trainee: Trainee,
    feed: Iterable[Fed],
    rhythm: Rhythm,
    history: History,
    keeper: Keeper,
    onlooker: Onlooker,
    validate: Validate | None,
    rank: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Learn what the feed brings, which begins at the history's next step; every rank calls it.

    Returns whether the run is finished, False when it was asked to stop; a checkpoint is kept either way, once a step
    was taken. A validation that was left for that is done when the run goes on. Raises Diverged naming the step.
    """
    if not history.is_validated and not _validated(history, rhythm, validate, onlooker):
        return False
    began = clock()
    for step, epoch, prepared in feed:
        torch.manual_seed(row_seed(rhythm.seed, "dropout", f"{step}/{rank}"))
        rate = rhythm.schedule.rate(step)
        set_rate(trainee.optimizer, rate)
        stepped = _stepped(trainee, step, prepared, onlooker.stopping())
        history.add({**asdict(stepped), "epoch": epoch, "learning_rate": rate})
        history.seconds += clock() - began
        onlooker.stepped(history)
        last = history.steps == rhythm.total
        stop = not _validated(history, rhythm, validate, onlooker)
        if last or stop or stepped.stop:
            _save(trainee, history, keeper, onlooker, whole=True)
            return last and not stop
        if history.steps % rhythm.save_every == 0:
            _save(trainee, history, keeper, onlooker, whole=False)
        began = clock()
    return history.steps == rhythm.total


def _stepped(trainee: Trainee, step: int, prepared: Sequence[Prepared], stop: bool) -> Stepped:
    """A step; what goes wrong in it is told with its number and a remedy."""
    try:
        with remedied(f"step {step}", STEPPING):
            return trainee.stepper.step(trainee.batches(prepared), trainee.spare, stop)
    except Diverged as error:
        raise Diverged(
            f"step {step}: {error}. The checkpoints before it are kept; lower optimizer.learning_rate or "
            "optimizer.clip_norm and start a new run."
        ) from None


def _validated(history: History, rhythm: Rhythm, validate: Validate | None, onlooker: Onlooker) -> bool:
    """Validate where it is due; False where that was left because the run shall stop."""
    due = history.steps == rhythm.total or history.steps % rhythm.validate_every == 0
    if validate is None or not due:
        return True
    with remedied(f"validation after {history.steps} steps", VALIDATING):
        found = validate(partial(onlooker.validating, history))
    if found is None:
        return False
    history.validated(found, validate.rows)
    onlooker.validated(history)
    return True


def _save(trainee: Trainee, history: History, keeper: Keeper, onlooker: Onlooker, whole: bool) -> None:
    """A checkpoint; with `whole` it is stored when this returns, and not left out for another in flight."""
    if whole:
        keeper.wait()
    keeper.save(history.steps, trainee.learner, trainee.optimizer, history.plain())
    if whole:
        keeper.wait()
    onlooker.saved(history)
