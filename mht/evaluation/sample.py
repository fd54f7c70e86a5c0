"""A sample of a benchmark's questions: a smoke run before all of it is paid for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mht.questions import Question
from mht.seeds import row_seed

SAMPLED = "A sample: "
"""How the note of a benchmark begins of which not every question was asked."""


def limited(
    questions: Iterable[Question], limit: int | None, seed: int, name: str
) -> tuple[list[Question], list[str]]:
    """(at most `limit` of the questions, in their order; what a person must know of that). All of them for None.

    Images come in an order drawn from the seed, and with all their questions, so that twins stay together; the
    first comes whole, however many it has. A larger limit adds images and takes none away.
    """
    every = list(questions)
    if limit is None or limit >= len(every):
        return every, []
    taken = _images(every, limit, seed, name)
    sample = [question for question in every if question.image_id in taken]
    told = f"{SAMPLED}{len(sample):,} of {len(every):,} questions by limit={limit}"
    return sample, [f"{told}, on {len(taken):,} images drawn by seed={seed}"]


def _images(questions: Sequence[Question], limit: int, seed: int, name: str) -> set[str]:
    sizes: dict[str, int] = {}
    for question in questions:
        sizes[question.image_id] = sizes.get(question.image_id, 0) + 1
    taken, left = set[str](), limit
    for image in sorted(sizes, key=lambda image: (row_seed(seed, f"limit {name}", image), image)):
        if taken and sizes[image] > left:
            break
        taken.add(image)
        left -= sizes[image]
    return taken
