"""What the first rank draws of each step: figures of this step alone, whatever the run has been through before."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mht.model.ranks import Ranks
from mht.training.history import COLUMNS, History
from mht.training.onlooking import Telling
from mht.training.progress import Beat
from mht.training.utilisation import Arithmetic
from tests.training import ranked


class Drawn:
    """A tracker that keeps what it was told."""

    def __init__(self) -> None:
        self.figures: list[tuple[int, Mapping[str, float]]] = []

    def log(self, step: int, figures: Mapping[str, float]) -> None:
        self.figures.append((step, figures))

    def keep(self) -> None: ...
    def close(self) -> None: ...


def take(history: History, steps: int) -> None:
    """Steps of two seconds, six samples and eighty tokens each."""
    for _ in range(steps):
        history.add(
            {name: 1 for name in COLUMNS} | {"exchanges": 6, "tokens": 80, "margin": None, "preferred": 0.75}
        )
        history.seconds += 2.0


@pytest.fixture(scope="module")
def arithmetic(llava: Path) -> Arithmetic:
    trainee = ranked.trainee_of(ranked.config_of(llava), Ranks())
    made = Arithmetic(trainee.learner, ranked.CPU)
    made._peak = 1e9
    return made


def test_the_first_step_of_a_resume_has_its_own_time(arithmetic: Arithmetic) -> None:
    history, drawn, beats = History(), Drawn(), list[Beat]()
    take(history, 50)

    def tell(beat: Beat) -> bool:
        beats.append(beat)
        return False

    telling = Telling([drawn], tell, lambda found: None, 60, arithmetic, ranked.CPU, 1, history)
    for _ in range(2):
        take(history, 1)
        telling.stepped(history)
    assert [step for step, _ in drawn.figures] == [51, 52]
    for _, figures in drawn.figures:
        assert figures["train/preferred"] == 0.75
        assert "train/margin" not in figures, "there was no pair"
        assert (figures["train/samples_per_s"], figures["train/tokens_per_s"]) == (3.0, 40.0)
    assert [beat.utilisation for beat in beats] == [arithmetic.share(40.0, 1)] * 2
    assert [(beat.exchanges, beat.tokens) for beat in beats] == [(306, 4080), (312, 4160)]


def test_a_validation_is_reported_and_drawn_in_figures_alone(arithmetic: Arithmetic) -> None:
    history, drawn, reports = History(), Drawn(), list[Mapping[str, float]]()
    take(history, 3)
    telling = Telling([drawn], lambda _: False, reports.append, 60, arithmetic, ranked.CPU, 1, history)
    history.validated({"loss": 1.5}, "the rows")
    telling.validated(history)
    assert drawn.figures == [(3, {"held_out/loss": 1.5})]
    assert reports == [{"step": 3, "loss": 1.5}]
