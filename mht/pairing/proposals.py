"""False premises proposed for one image: edits, each in a form and a frame, in a fixed order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from mht.catalog import load
from mht.knowledge.lexicon import is_study
from mht.knowledge.presence import PRESENT
from mht.pairing.balance import Flow, flow
from mht.pairing.context import PairingContext
from mht.pairing.frames import UNIT, Frame, frames
from mht.records import Edit, Fact, Reading
from mht.seeds import row_rng

FORMS = "pairing.forms"
_ALL = 0.9999  # of the chance of all edits: no other can be drawn


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit in a form, with what the question will show or ask, and its keys in the corpus table."""

    edit: Edit
    form: str
    frame: Frame
    flow: Flow
    study: bool


def _frame(kind: str, fact: Fact, edit: Edit, rng: random.Random) -> Frame | None:
    """One of the fitting frames, by their shares; None where no question can be asked."""
    draw = rng.random() * UNIT
    fitting = frames(kind, edit.slot, edit.after, fact)
    for frame in fitting:
        draw -= frame.share
        if draw < 0:
            return frame
    return None


def propose(image_id: str, reading: Reading, context: PairingContext) -> Iterator[Proposal]:
    """Proposals in a fixed order, an edit at most once in a form; they depend on the row and the run's seed alone."""
    params = context.params
    forms = [(name, load(FORMS, name).FRAMES) for name in params.forms]
    present = [i for i, fact in enumerate(reading.facts) if fact.presence == PRESENT][
        : params.facts_per_image
    ]
    for name, perturb, settings in context.perturbations:
        rng = row_rng(context.seed, name, image_id)
        for i in present:
            seen: set[str] = set()
            study = is_study(reading.facts[i].finding)
            covered = 0.0
            for _ in range(params.draws_per_fact):
                edit = perturb(reading, i, rng, settings)
                if covered > _ALL:
                    break
                if edit is None or edit.after in seen:
                    continue
                seen.add(edit.after)
                covered += edit.forward
                for form, kind in forms:
                    frame = _frame(kind, reading.facts[i], edit, rng)
                    if frame is not None:
                        yield Proposal(edit, form, frame, flow(reading, edit, kind, frame), study)
