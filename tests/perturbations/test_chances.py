"""The chances that an edit states: how often it is drawn, and how often its inverse is in the mirrored reading."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from mht import catalog
from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import FINDING
from mht.perturbations._swap import SwapParams
from mht.records import Edit, Reading
from tests.perturbations.captions import drawn, written
from tests.perturbations.mirror import inverse_type, mirror

NAMES = catalog.names("perturbations")
DRAWS = 1500
SIGMAS = 4.0
_ROOM = 0.5  # how far the stated chance of a swap's way back may be off: a pool of two for one of three


def _edits(name: str, readings: tuple[Reading, ...], draws: int) -> Iterator[tuple[Reading, Edit]]:
    """The different edits of each fact that some draws make."""
    module = catalog.load("perturbations", name)
    for reading in readings:
        for fact in range(len(reading.facts)):
            rng, params = random.Random(fact), module.Params()
            made = [module.perturb(reading, fact, rng, params) for _ in range(draws)]
            for edit in {(e.slot, e.after): e for e in made if e is not None}.values():
                yield reading, edit


def _share(reading: Reading, fact: int, name: str, slot: str, after: str) -> float:
    module = catalog.load("perturbations", name)
    rng, params = random.Random(11), module.Params()
    made = (module.perturb(reading, fact, rng, params) for _ in range(DRAWS))
    return sum(e is not None and (e.slot, e.after) == (slot, after) for e in made) / DRAWS


def _tolerance(chance: float) -> float:
    return SIGMAS * max(chance * (1 - chance), 1 / DRAWS) ** 0.5 / DRAWS**0.5


def _found(reading: Reading, edit: Edit) -> Edit | None:
    """The inverse edit, as the mirrored reading proposes it."""
    module = catalog.load("perturbations", inverse_type(edit))
    rng, params = random.Random(1), module.Params()
    for _ in range(400):
        back: Edit | None = module.perturb(reading, edit.fact, rng, params)
        if back is None:
            return None
        if (back.slot, back.after) == (edit.slot, edit.before):
            return back
    return None


@pytest.mark.parametrize("name", NAMES)
def test_an_edit_is_drawn_as_often_as_it_states(name: str) -> None:
    for reading, edit in _some(list(_edits(name, written(), 12))):
        share = _share(reading, edit.fact, name, edit.slot, edit.after)
        assert share == pytest.approx(edit.forward, abs=_tolerance(edit.forward)), (reading.caption, edit)


def _some(edits: list[tuple[Reading, Edit]]) -> list[tuple[Reading, Edit]]:
    """A handful of edits in an order that has nothing to do with the captions'."""
    return random.Random(5).sample(edits, min(6, len(edits)))


def _mirrored(name: str, readings: tuple[Reading, ...]) -> list[tuple[Edit, Reading]]:
    """Edits with the readings that they mirror to, where all that those state can be true together."""
    turned = ((edit, mirror(reading, edit)) for reading, edit in _edits(name, readings, 8))
    return [(edit, mirrored) for edit, mirrored in turned if mirrored is not None and _consistent(mirrored)]


def _consistent(reading: Reading) -> bool:
    lex = lexicon()
    stated = {f.finding for f in reading.facts if f.presence == PRESENT}
    denied = {f.finding for f in reading.facts if f.presence != PRESENT}
    entailed = set().union(*(lex.ancestors[finding] for finding in stated))
    return not (entailed & denied) and all(lex.excluded[finding].isdisjoint(stated) for finding in stated)


@pytest.mark.parametrize("name", NAMES)
def test_the_inverse_is_drawn_as_often_as_stated_in_the_mirrored_reading(name: str) -> None:
    tried = random.Random(5).sample(turned := _mirrored(name, written()), min(6, len(turned)))
    assert tried
    for edit, reading in tried:
        share = _share(reading, edit.fact, inverse_type(edit), edit.slot, edit.before)
        room = _ROOM * edit.backward if edit.slot == FINDING else 0.0
        assert share == pytest.approx(edit.backward, abs=room + _tolerance(edit.backward)), (reading, edit)


@pytest.mark.parametrize("name", NAMES)
def test_there_and_back_are_the_same_chances_seen_from_the_other_end(name: str) -> None:
    equal = near = total = 0
    for edit, reading in _mirrored(name, (*written(), *drawn()[:60])):
        back = _found(reading, edit)
        total += 1
        if back is None:
            continue
        equal += (back.forward, back.backward) == pytest.approx((edit.backward, edit.forward))
        near += 1 / (1 + _ROOM) <= back.forward / edit.backward <= 1 + _ROOM
    assert total >= 5
    assert equal / total >= (0.85 if _swaps(name) else 1.0), (equal, near, total)
    assert near / total >= 0.95, (equal, near, total)


def _swaps(name: str) -> bool:
    """Whether the kind puts another finding in the slot: its mirrored pools are counted without making that world."""
    return issubclass(catalog.load("perturbations", name).Params, SwapParams)
