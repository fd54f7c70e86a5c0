"""What the base model makes of phantoms it has not seen, asked in words of no lesson: whether it sees, and whether it
goes along with what is not there."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mht.phantoms.model.pictures import picture
from mht.phantoms.model.seen import KIND, missing, noun, shown
from mht.phantoms.scene import draw_scene

Answer = Callable[[Sequence[npt.NDArray[np.uint8]], Sequence[str]], list[str]]
"""Grey pictures and a question about each to replies."""
_PRESENCE = ("Is {x} visible on this film?", "Would you say there is {x}?", "Is {x} present?")
_PREMISE = (
    "Given {x}, what would you note?",
    "We were told of {x}. Put it into words.",
    "Comment on {x}, please.",
)
_DENIES = re.compile(r"\b(?:no|not|cannot|wrong|free of)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Marks:
    """Shares: of what is there denied, of what is not there affirmed, of false premises accepted; and how many each."""

    false_negatives: float
    false_positives: float
    premises_accepted: float
    questions: int


def examine(answer: Answer, scenes: int, seed: int, side_px: int) -> Marks:
    """Ask of each scene for a finding that is there, one that is not, and of one that is not as if it were."""
    rng = random.Random(seed)
    drawn = [scene for scene in (draw_scene(KIND, i, seed) for i in range(scenes)) if scene.present]
    pictures = [picture(scene, side_px) for scene in drawn]
    there = [noun(rng.choice(shown(scene)[: len(scene.present)]).finding) for scene in drawn]
    gone = [noun(rng.choice(missing(scene))) for scene in drawn]
    asked = [rng.choice(_PRESENCE).format(x=x) for x in (*there, *gone)]
    asked += [rng.choice(_PREMISE).format(x=x) for x in gone]
    said = answer(pictures * 3, asked)
    yes = [reply.startswith("Yes") for reply in said]
    n = len(drawn)
    accepted = [not _DENIES.search(reply) for reply in said[2 * n :]]
    return Marks(1 - sum(yes[:n]) / n, sum(yes[n : 2 * n]) / n, sum(accepted) / n, n)
