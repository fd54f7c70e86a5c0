"""False premises proposed for one image: edits, each in a form and a frame, in a fixed order."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import ModuleType
from typing import Any

from mht.catalog import load
from mht.knowledge.lexicon import is_study
from mht.knowledge.presence import PRESENT
from mht.knowledge.truth import denied_by_name, denied_outright
from mht.pairing.balance import ENOUGH_TO_LIST, Flow, flow
from mht.pairing.besides import distractors
from mht.pairing.context import PairingContext
from mht.pairing.frames import LIST, UNIT, Frame, frames
from mht.pairing.params import PairingParams
from mht.records import Edit, Fact, Reading
from mht.seeds import row_rng

FORMS = "pairing.forms"
_ENOUGH = 8  # facts that give edits enough for one form each
_ALL = 0.9999  # of the chance of all edits: no other can be drawn


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit in a form, with what the question will show or ask, and its keys in the corpus table."""

    edit: Edit
    form: str
    frame: Frame
    flow: Flow
    study: bool
    draws: int


def draws_of(settings: Any, params: PairingParams) -> int:
    """How often a perturbation is asked of a fact: fewer times where its own settings say so."""
    return min(params.draws_per_fact, getattr(settings, "draws", params.draws_per_fact))


def _frame(kind: str, fact: Fact, edit: Edit, rng: random.Random) -> Frame | None:
    """One of the fitting frames, by their shares; None where no question can be asked."""
    fitting = frames(kind, edit.slot, edit.after, fact)
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    draw = rng.random() * UNIT
    for frame in fitting:
        draw -= frame.share
        if draw < 0:
            return frame
    return fitting[0]


@lru_cache(maxsize=1024)
def _fitting(forms: tuple[str, ...], slot: str, study: bool) -> tuple[tuple[str, str], ...]:
    """(name, kind) of the forms that can word an edit of this slot."""
    modules: list[tuple[str, ModuleType]] = [(name, load(FORMS, name)) for name in forms]
    return tuple((name, module.FRAMES) for name, module in modules if module.fits(slot, study))


def _subjects(reading: Reading, most: int) -> Iterator[tuple[int, bool]]:
    """(index, whether it is stated) of the facts that an edit may be about: stated first, then plainly denied."""
    facts = reading.facts
    stated = (i for i, fact in enumerate(facts) if fact.presence == PRESENT)
    denied = (i for i in range(len(facts)) if denied_outright(reading, i))
    yield from ((i, True) for i in islice(stated, most))
    yield from ((i, False) for i in islice(denied, most))


def _edits(
    reading: Reading, fact: int, context: PairingContext, plugin: int, rng: random.Random
) -> Iterator[Edit]:
    """The different edits of one kind that some draws make of one fact."""
    _, perturb, settings = context.perturbations[plugin]
    seen: set[tuple[str, str]] = set()
    covered = 0.0
    for _ in range(draws_of(settings, context.params)):
        edit = perturb(reading, fact, rng, settings)
        if edit is None and not seen:
            return
        if edit is None or (edit.slot, edit.after) in seen:
            continue
        seen.add((edit.slot, edit.after))
        covered += edit.forward
        yield edit
        if covered > _ALL:
            return


def propose(image_id: str, reading: Reading, context: PairingContext) -> Iterator[Proposal]:
    """Proposals in a fixed order, an edit at most once in a form; they depend on the row and the run's seed alone."""
    params = context.params
    rng = row_rng(context.seed, "proposals", image_id)
    subjects = list(_subjects(reading, params.facts_per_image))
    most = min(params.forms_per_edit, max(1, _ENOUGH // max(1, len(subjects))))
    for i, stated in subjects:
        fact = reading.facts[i]
        study = is_study(fact.finding)
        for plugin, (name, _, settings) in enumerate(context.perturbations):
            if not stated and name not in _OF_DENIED:
                continue
            for edit in _edits(reading, i, context, plugin, rng):
                fitting = _fitting(params.forms, edit.slot, study)
                for form, kind in _some(fitting, most, rng):
                    frame = _frame(kind, fact, edit, rng)
                    if frame is not None and (kind != LIST or _listable(reading, edit, study)):
                        keys = flow(reading, edit, kind, frame)
                        yield Proposal(edit, form, frame, keys, study, draws_of(settings, params))


_OF_DENIED = frozenset({"negation"})
"""The kinds of edit that a denied fact can have."""


def _some(
    fitting: tuple[tuple[str, str], ...], most: int, rng: random.Random
) -> tuple[tuple[str, str], ...] | list[tuple[str, str]]:
    """Some of the forms, each as likely as the others."""
    return fitting if len(fitting) <= most else rng.sample(fitting, most)


def _listable(reading: Reading, edit: Edit, study: bool) -> bool:
    enough = len(denied_by_name(reading, study)) >= ENOUGH_TO_LIST
    return enough and len(distractors(reading, edit)) >= ENOUGH_TO_LIST - 1
