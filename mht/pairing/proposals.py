"""False premises proposed for one image: edits, each in a form and a frame, in a fixed order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from types import ModuleType

from mht.catalog import load
from mht.knowledge.lexicon import is_study
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import FINDING, SITE
from mht.knowledge.truth import denied_by_name, denied_outright
from mht.pairing.balance import Flow, flow
from mht.pairing.besides import distractors
from mht.pairing.context import PairingContext, Perturbation
from mht.pairing.frames import LIST, UNIT, Frame, Terms, framed, terms
from mht.pairing.premises import ENOUGH_TO_LIST
from mht.records import Edit, Reading, Subject
from mht.seeds import row_rng

FORMS = "pairing.forms"
_OF_COMMON = 2  # forms of an edit that most facts allow
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


def _frame(kind: str, own: Terms, edit: Edit, rng: random.Random) -> Frame | None:
    """One of the fitting frames, by their shares; None where no question can be asked."""
    fitting = framed(kind, edit.slot, edit.after if edit.slot in (FINDING, SITE) else "", own)
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


def _subjects(reading: Reading, most: int) -> Iterator[tuple[int, Subject]]:
    """(index, what it is about) of the facts that an edit may be about: stated ones first, then plainly denied ones."""
    facts = reading.facts
    stated = (i for i, fact in enumerate(facts) if fact.presence == PRESENT)
    denied = (i for i in range(len(facts)) if denied_outright(reading, i))
    yield from (
        (i, Subject.STUDY if is_study(facts[i].finding) else Subject.STATED) for i in islice(stated, most)
    )
    yield from ((i, Subject.DENIED) for i in islice(denied, most))


def _edits(reading: Reading, fact: int, plugin: Perturbation, rng: random.Random) -> Iterator[Edit]:
    """The different edits of one kind that some draws make of one fact."""
    seen: set[tuple[str, str]] = set()
    covered = 0.0
    for _ in range(plugin.draws):
        edit = plugin.perturb(reading, fact, rng, plugin.params)
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
    """Proposals, an edit at most once in a form, those of one kind and fact together; the order is the row's own.

    Kinds that few facts allow come likely before those that all allow. They depend on the row and the run's seed alone.
    """
    params = context.params
    rng = row_rng(context.seed, "proposals", image_id)
    subjects = list(_subjects(reading, params.facts_per_image))
    common = min(params.forms_per_edit, _OF_COMMON)
    own = [terms(fact) for fact in reading.facts]
    for i, plugin in _tasks(subjects, context, rng):
        study = is_study(reading.facts[i].finding)
        forms = common if plugin.name in _COMMON else params.forms_per_edit + _MORE.get(plugin.name, 0)
        for edit in _edits(reading, i, plugin, rng):
            fitting = _fitting(params.forms, edit.slot, study)
            for form, kind in _some(fitting, forms, rng):
                frame = _frame(kind, own[i], edit, rng)
                if frame is not None and (kind != LIST or _listable(reading, edit, study)):
                    yield Proposal(edit, form, frame, flow(reading, edit, kind, frame), study, plugin.draws)


_COMMON = frozenset(
    {"existence", "diagnosis_leap", "normality", "device", "negation", "modality", "misbelief", "count"}
)
"""Kinds of edit that most facts allow. Those that put one finding for another are each other's inverse: all or none."""
_MORE = {"appearance": 2, "size": 2}
"""Forms beyond the usual for kinds that few facts have: colours and lengths were under 2 % of the pairs."""
_AHEAD = {name: 1.0 for name in _COMMON} | {
    "negation": 0.35, "count": 0.7, "temporal": 0.7, "laterality": 1.0, "location": 1.5, "severity": 1.5, "size": 12.0
}  # fmt: skip
_AHEAD_OF_ALL = 8.0


def _tasks(
    subjects: Sequence[tuple[int, Subject]], context: PairingContext, rng: random.Random
) -> list[tuple[int, Perturbation]]:
    """Facts with the perturbations that are asked of them, in random order.

    Letting the kinds take strict turns would undo the balance: a finding with three false grades would lose two of
    them, one with a single false grade none.
    """
    tasks = [
        (i, plugin) for i, about in subjects for plugin in context.perturbations if about in plugin.about
    ]
    draws = [
        (rng.random() ** _AHEAD.get(plugin.name, _AHEAD_OF_ALL), k) for k, (_, plugin) in enumerate(tasks)
    ]
    draws.sort()
    return [tasks[k] for _, k in draws]


def _some(
    fitting: tuple[tuple[str, str], ...], most: int, rng: random.Random
) -> tuple[tuple[str, str], ...] | list[tuple[str, str]]:
    """Some of the forms, each as likely as the others."""
    if len(fitting) <= most:
        return fitting
    if most == 1:
        return (fitting[int(rng.random() * len(fitting))],)
    return rng.sample(fitting, most)


def _listable(reading: Reading, edit: Edit, study: bool) -> bool:
    enough = len(denied_by_name(reading, study)) >= ENOUGH_TO_LIST
    return enough and len(distractors(reading, edit)) >= ENOUGH_TO_LIST - 1
