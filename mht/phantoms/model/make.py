"""The small base model from a seed: draws phantoms, teaches the eyes to see and the language model to talk and please.

    python -m mht.phantoms.model.make --out DIR --seed 0

writes what `base/` holds. The same seed gives the same bytes on one machine with the same number of threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from mht.phantoms.model.exam import Marks

_EXAM_SEED = 1_000_003
"""Away from the phantoms that are learnt from and from those of anybody's dataset."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is learnt: steps of seeing, of talking and of pleasing, phantoms of the exam."""

    seeing_steps: int = 7000
    talking_steps: int = 2500
    pleasing_steps: int = 700
    exam_scenes: int = 300


def make(folder: Path, seed: int, threads: int, effort: Effort, say: Callable[[str], None]) -> None:
    """Write the model's folder and say how it fares. The whole effort takes about 90 minutes on two
    busy cores; less makes a poor model."""
    import torch

    from mht.phantoms.model import answering, blank, exam, eyes, talking
    from mht.phantoms.model.pace import Pace
    from mht.phantoms.model.pictures import Frame, draw, drawn

    torch.set_num_threads(threads)
    model = blank.blank(seed)
    frame = Frame(blank.SIDE_PX, blank.PATCH_PX)
    pace = Pace(effort.seeing_steps, 64, muon=8e-3, rate=3e-3, seed=seed)
    with drawn(pace.steps, pace.batch, 3 * seed + 1, frame) as batches:
        taught = eyes.teach(model, batches, pace, say)
    missed, made_up = eyes.examine(taught, draw(0, effort.exam_scenes, _EXAM_SEED, frame))
    say(f"eyes: of the findings of held-out phantoms {missed:.3f} are missed, {made_up:.3f} made up")
    pace = Pace(effort.talking_steps, 12, muon=3e-3, rate=2e-3, seed=seed)
    with drawn(pace.steps, pace.batch, 3 * seed + 2, frame) as batches:
        talking.teach(model, batches, pace, say)
    pace = Pace(effort.pleasing_steps, 12, muon=1e-3, rate=7e-4, seed=seed)
    with drawn(pace.steps, pace.batch, 3 * seed + 3, frame) as batches:
        talking.teach(model, batches, pace, say, please=True)
    blank.save(model.eval(), folder)
    answer = partial(answering.answers, model, blank.processor())
    say(_table(exam.examine(answer, effort.exam_scenes, _EXAM_SEED, blank.SIDE_PX)))


def _table(marks: Marks) -> str:
    return (
        f"of {marks.questions} held-out phantoms, asked in words of no lesson\n"
        f"  findings that are there, denied        {marks.false_negatives:.3f}\n"
        f"  findings that are not there, affirmed  {marks.false_positives:.3f}\n"
        f"  false premises accepted                {marks.premises_accepted:.3f}"
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m mht.phantoms.model.make", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(arguments)
    start = time.monotonic()

    def say(line: str) -> None:
        print(f"[{time.monotonic() - start:5.0f} s] {line}", flush=True)

    make(given.out, given.seed, given.threads, Effort(), say)


if __name__ == "__main__":
    main()
