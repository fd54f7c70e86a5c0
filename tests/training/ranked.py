"""What the ranks of a job do in the tests of training; each returns what the test looks at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mht.config_train import TrainConfig, load
from mht.model.examples import Example, Exchange, Turn
from mht.model.ranks import Ranks
from mht.training.preparation import Tokeniser
from mht.training.step import Stepped
from mht.training.trainee import Trainee
from mht.training.trainee import load as load_trainee
from tests.engines import tiny

CPU = torch.device("cpu")


def config_of(model: Path, *words: str) -> TrainConfig:
    return load(None, [f"model.path={model}", "data.path=nowhere", "precision=float32", *words])


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
    return {"steps": taken, "values": torch.cat(values).tolist()}


def _whole(parameter: Any) -> torch.Tensor:
    value = parameter.full_tensor() if hasattr(parameter, "full_tensor") else parameter
    return torch.as_tensor(value.detach().double().flatten()[:50])
