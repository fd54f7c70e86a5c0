"""The training loop of one rank: prepare, step, log, validate, checkpoint. Torch, never Ray.

On one GPU it needs nothing around it: an iterable of prepared examples, and somewhere to keep checkpoints.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol, TypeAlias

import torch

from mht.errors import Diverged, MhtError
from mht.model.conversation import Prepared
from mht.model.optimizer import Schedule, set_rate
from mht.seeds import row_seed
from mht.training.history import History
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


class Onlooker(Protocol):
    """Who is told how it goes, on every rank; `stopping` is whether this rank was asked to stop."""

    def stepped(self, history: History) -> None: ...
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
    validate: Callable[[], dict[str, float]] | None,
    rank: int = 0,
    clock: Callable[[], float] = time.monotonic,
) -> bool:
    """Learn what the feed brings, which begins at the history's next step; every rank calls it.

    Returns whether the run is finished, False when it was asked to stop; a checkpoint is kept either way. Raises
    Diverged naming the step.
    """
    if validate is not None and not history.steps and not history.is_validated:
        _validated(history, validate, onlooker)
    began = clock()
    for step, epoch, prepared in feed:
        torch.manual_seed(row_seed(rhythm.seed, "dropout", f"{step}/{rank}"))
        rate = rhythm.schedule.rate(step)
        set_rate(trainee.optimizer, rate)
        try:
            stepped = trainee.stepper.step(trainee.batches(prepared), trainee.spare, onlooker.stopping())
        except Diverged as error:
            raise Diverged(
                f"step {step}: {error}. The checkpoints before it are kept; lower optimizer.learning_rate or "
                "optimizer.clip_norm and start a new run."
            ) from None
        except torch.OutOfMemoryError as error:
            raise MhtError(
                f"step {step}: out of memory. Lower run.batch_tokens, give run.activation_checkpointing=true, or "
                f"more workers: {str(error).splitlines()[0]}"
            ) from error
        history.add({**asdict(stepped), "epoch": epoch, "learning_rate": rate})
        history.seconds += clock() - began
        onlooker.stepped(history)
        last = history.steps == rhythm.total
        if validate is not None and (last or history.steps % rhythm.validate_every == 0):
            _validated(history, validate, onlooker)
        if last or stepped.stop:
            _save(trainee, history, keeper, onlooker, whole=True)
            return last
        if history.steps % rhythm.save_every == 0:
            _save(trainee, history, keeper, onlooker, whole=False)
        began = clock()
    return history.steps == rhythm.total


def _validated(history: History, validate: Callable[[], dict[str, float]], onlooker: Onlooker) -> None:
    history.validated(validate())
    onlooker.validated(history)


def _save(trainee: Trainee, history: History, keeper: Keeper, onlooker: Onlooker, whole: bool) -> None:
    """A checkpoint; with `whole` it is stored when this returns, and not left out for another in flight."""
    if whole:
        keeper.wait()
    keeper.save(history.steps, trainee.learner, trainee.optimizer, history.plain())
    if whole:
        keeper.wait()
    onlooker.saved(history)
