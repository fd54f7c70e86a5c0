"""A full device is told with the place and a remedy: at loading, before the first step, in a step."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from mht.errors import MhtError
from mht.model.optimizer import Schedule
from mht.model.ranks import Ranks
from mht.training.history import History
from mht.training.loop import Rhythm, train
from mht.training.onlooking import Quiet
from mht.training.trainee import load
from tests.training import ranked

RHYTHM = Rhythm(total=3, save_every=1, validate_every=1, schedule=Schedule(1e-3, 0, 3, 0.1), seed=0)


def full(*_: Any) -> Any:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB.\nMore of it.")


class Full:
    """A validation, and a stepper, for which there is no room."""

    rows = "the rows"
    spare = None

    def __call__(self, stopping: Callable[[float], bool]) -> dict[str, float]:
        return dict(full())

    @property
    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.SGD([torch.zeros(1, requires_grad=True)])

    @property
    def stepper(self) -> Any:
        return full()


def test_at_loading(llava: Path) -> None:
    config = ranked.config_of(llava)
    with pytest.raises(
        MhtError, match=r"^loading the model: out of memory\. .*more workers.*allocate 2 GiB\.$"
    ):
        load(config, ranked.CPU, Ranks(), ranked.examples(1)[0], full)


def test_before_the_first_step() -> None:
    with pytest.raises(
        MhtError, match=r"^validation after 0 steps: out of memory\. Lower run\.batch_tokens.*2 GiB\.$"
    ):
        train(Full(), [], RHYTHM, History(), None, Quiet(print), Full())  # type: ignore[arg-type]


def test_in_a_step() -> None:
    feed: Any = [(0, 0, [])]
    with pytest.raises(
        MhtError, match=r"^step 0: out of memory\. Lower run\.batch_tokens.*allocate 2 GiB\.$"
    ):
        train(Full(), feed, RHYTHM, History(), None, Quiet(print), None)  # type: ignore[arg-type]
