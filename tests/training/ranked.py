"""What the ranks of a job do in the tests of training; each returns what the test looks at."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import torch

from mht.config_train import TrainConfig, load
from mht.errors import InputError, Interrupted
from mht.model.examples import Example, Exchange, Turn
from mht.model.learner import Learner
from mht.model.ranks import Ranks
from mht.model.sharding import mesh_of, shard
from mht.pretrained.loading import model_in
from mht.storage import Storage
from mht.training.answers import Answers
from mht.training.assignment import assign
from mht.training.command import train
from mht.training.here import feed
from mht.training.preparation import Tokeniser
from mht.training.progress import Beat, ProgressLine
from mht.training.rank import run_rank
from mht.training.shards import HeldOut
from mht.training.step import Stepped
from mht.training.trainee import Trainee
from mht.training.trainee import load as load_trainee
from mht.training.validation import Validation
from tests.engines import tiny

CPU = torch.device("cpu")


def config_of(model: Path, *words: str) -> TrainConfig:
    """In float32 where the words name no other numbers."""
    numbers = [] if any(word.startswith("precision=") for word in words) else ["precision=float32"]
    return load(None, [f"model.path={model}", "data.path=nowhere", *numbers, *words])


def examples(count: int, image: bool = True) -> list[Example]:
    """Of one to three exchanges, weighted one and two."""
    made = []
    for number in range(count):
        exchanges = tuple(
            Exchange(
                f"{number}-{k}", (Turn(f"is there a {tiny.WORDS[number + k]}", f"yes the {tiny.WORDS[k]} is"),),
                rejected=f"no , {tiny.WORDS[number]}", weight=1.0 + k % 2,
            )
            for k in range(1 + number % 3)
        )  # fmt: skip
        made.append(Example(f"example {number}", tiny.png(number) if image else None, exchanges))
    return made


def trainee_of(config: TrainConfig, ranks: Ranks) -> Trainee:
    return load_trainee(config, CPU, ranks, examples(1)[0], lambda learner, speech, chat: True)


def steps(model: str, words: list[str], parts: list[list[int]], text_only: list[int]) -> dict[str, Any]:
    """Three steps on six examples, each rank learning those of its part; the same gradient whoever learns what."""
    ranks = Ranks()
    trainee = trainee_of(config_of(Path(model), *words), ranks)
    every = examples(6)
    for number in text_only:
        every[number] = examples(6, image=False)[number]
    mine = [every[number] for number in parts[ranks.rank]]
    prepared = Tokeniser(trainee.speech, trainee.chat).prepare(mine)
    taken: list[Stepped] = []
    for _ in range(3):
        taken.append(trainee.stepper.step(trainee.batches(prepared), trainee.spare, stop=ranks.rank == 1))
    values = [_whole(p) for p in trainee.learner.parameters() if p.requires_grad]
    numbers = {p.dtype for p in trainee.learner.parameters() if p.requires_grad}
    return {"steps": taken, "values": torch.cat(values).tolist(), "kept": numbers, "compute": trainee.compute}


def _whole(parameter: Any) -> torch.Tensor:
    value = parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter
    return torch.as_tensor(value.detach().double().flatten()[:50])


class Stop:
    """A request to stop that comes when the progress line has shown a step; `after` None never."""

    def __init__(self, after: int | None = None) -> None:
        self._after = after
        self.asked = False

    def pulse(self) -> None:
        if self.asked:
            raise Interrupted("stopped")

    def shown(self, beat: Beat) -> None:
        self.asked |= self._after is not None and beat.step >= self._after


class Shown(ProgressLine):
    """A progress line that tells a request to stop of each beat, and keeps what was said."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(on=False)
        self._stop = stop
        self.beats: list[Beat] = []
        self.lines: list[str] = []

    def show(self, beat: Beat) -> None:
        if beat.checked is None and beat.validated is None:
            self.beats.append(beat)
        self._stop.shown(beat)

    def say(self, text: str) -> None:
        self.lines.append(text)


def run_command(words: list[str], after: int | None = None) -> tuple[dict[str, Any] | None, Shown]:
    """`mht train` in this process; the results, None where it was stopped after a step."""
    stop = Stop(after)
    progress = Shown(stop)
    try:
        return train(load(None, words), progress, stop), progress
    except Interrupted:
        return None, progress


def leg(words: list[str], after: int | None = None, dies: bool = False) -> tuple[bool, list[str]]:
    """A rank's part of a run without Ray, stopped or dying after a step; (finished, lines that were said)."""
    lines: list[str] = []

    def tell(beat: Beat) -> bool:
        over = after is not None and beat.checked is None and beat.step >= after
        if over and dies:
            os._exit(9)
        return over

    config = load(None, words)
    given = assign(config, Storage(config.storage))
    try:
        return run_rank(given, feed, tell, lines.append, lambda found: None, CPU), lines
    except RuntimeError as error:  # what torch says where another rank died
        return False, [str(error)]


def losses_of(output: Path) -> list[float]:
    losses: list[float] = pq.read_table(output / "history.parquet")["loss"].to_pylist()
    return losses


def held_out() -> list[HeldOut]:
    """Each exchange of four examples as a row."""
    return [HeldOut(e.example_id, e.image, x) for e in examples(4) for x in e.exchanges]


def validated(model: str) -> dict[str, float]:
    ranks = Ranks()
    trainee = trainee_of(config_of(Path(model), "run.batch_tokens=50"), ranks)
    found = Validation(trainee, held_out(), ranks, None)(lambda share: False)
    assert found is not None
    return found


def left(model: str, after: float) -> tuple[dict[str, float] | None, list[float]]:
    """(what a validation found, the shares that it told), the first rank being asked to stop after a share."""
    ranks = Ranks()
    trainee = trainee_of(config_of(Path(model), "run.batch_tokens=50"), ranks)
    shares: list[float] = []

    def stopping(share: float) -> bool:
        shares.append(share)
        return ranks.first and share >= after

    return Validation(trainee, held_out(), ranks, None)(stopping), shares


def answered(model: str) -> list[tuple[str, str | None, Any]]:
    """(name, text, failure) of each row's answer before training."""
    trainee = trainee_of(config_of(Path(model)), Ranks())
    asked = Answers(trainee, held_out(), 8, model)
    return [(reply.request_id, reply.text, reply.failure) for reply in asked.replies()]


def contents(folders: list[str]) -> dict[str, str]:
    """The digest of each parameter and buffer of each model, loaded in turns and divided where there are ranks."""
    ranks, mesh = Ranks(), mesh_of(CPU)
    found: dict[str, str] = {}
    for folder in folders:

        def divided(folder: str = folder) -> Learner:
            learner = Learner(model_in(Path(folder), torch.float32))
            if mesh is not None:
                shard(learner, torch.float32, mesh)
            return learner

        learner = ranks.in_turns(divided)
        for name, value in [*learner.named_parameters(), *learner.named_buffers()]:
            whole = value.full_tensor() if hasattr(value, "full_tensor") else value
            raw = whole.detach().contiguous().view(-1).view(torch.uint8).numpy().tobytes()
            found[f"{Path(folder).name} {name}"] = hashlib.sha256(raw).hexdigest()
    ranks.close()
    return found


def in_turns(folder: str, fails: int | None) -> str:
    """Begins and ends of each rank's turn in a file, and what this rank heard of one that fails."""
    ranks = Ranks()

    def work() -> int:
        with (Path(folder) / "turns").open("a") as file:
            file.write(f"begin {ranks.rank}\n")
            file.flush()
            time.sleep(0.2)
            if ranks.rank == fails:
                raise InputError(f"rank {fails} cannot")
            file.write(f"end {ranks.rank}\n")
        return ranks.rank

    try:
        return str(ranks.in_turns(work))
    except InputError as error:
        return str(error)
