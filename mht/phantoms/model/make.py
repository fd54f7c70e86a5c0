"""The small base model from a seed: draws phantoms, teaches the eyes to see and the language model to talk and please.

    python -m mht.phantoms.model.make --out DIR --seed 0

writes what `base/` holds. The same seed gives the same bytes on one machine with the same number of threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

PAIRS, EYES_STEPS, TALKING_STEPS, EXAM_SCENES = 10_000, 1500, 1000, 300
_EXAM_SEED = 1_000_003
"""Away from the phantoms that are learnt from and from those of anybody's dataset."""


def make(
    folder: Path,
    seed: int,
    threads: int,
    pairs: int = PAIRS,
    eyes_steps: int = EYES_STEPS,
    talking_steps: int = TALKING_STEPS,
    exam_scenes: int = EXAM_SCENES,
    say: Callable[[str], None] = print,
) -> None:
    """Write the model's folder and say how it fares. Takes minutes; fewer pairs and steps make a poor one."""
    import torch

    from mht.phantoms.model import answering, blank, exam, eyes, pictures, talking
    from mht.phantoms.model.pace import Pace

    torch.set_num_threads(threads)
    drawn = pictures.draw(pairs, seed + 1, blank.SIDE_PX, blank.PATCH_PX, threads)
    say(f"drawn: {len(drawn.scenes):,} phantoms")
    model = blank.blank(seed)
    eyes.teach(model, drawn, Pace(eyes_steps, 64, muon=3e-3, rate=2e-3, seed=seed), say)
    talking.teach(model, drawn, Pace(talking_steps, 12, muon=3e-3, rate=2e-3, seed=seed), say)
    blank.save(model.eval(), folder)
    answer = partial(answering.answers, model, blank.processor())
    say(_table(exam.examine(answer, exam_scenes, _EXAM_SEED, blank.SIDE_PX)))


def _table(marks: object) -> str:
    from mht.phantoms.model.exam import Marks

    assert isinstance(marks, Marks)
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
    make(
        given.out, given.seed, given.threads,
        say=lambda line: print(f"[{time.monotonic() - start:5.0f} s] {line}", flush=True),
    )  # fmt: skip


if __name__ == "__main__":
    main()
