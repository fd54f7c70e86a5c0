"""The mirrored reading of an edit: what the facts would be if the false premise were the true one."""

from __future__ import annotations

from dataclasses import replace

from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.slots import (
    BELIEF,
    CHANGE_SLOT,
    FINDING,
    PRESENCE,
    UNCOMPARED,
    belief,
    beliefs,
    ordered,
    study_modality,
    value_of,
    with_value,
)
from mht.perturbations._swap import type_of
from mht.records import Edit, Fact, Reading

ALONE, FOLLOWED = "There is one study.", "Compared with the earlier study."


def inverse_type(edit: Edit) -> str:
    """The kind of hallucination that proposes the way back."""
    return type_of(edit.after, edit.before) if edit.slot == FINDING else edit.type


def mirror(reading: Reading, edit: Edit) -> Reading | None:
    """The reading with `after` where `before` stood, in every fact that states it; None where there is no such one."""
    fact, modality, caption = reading.facts[edit.fact], reading.modality, reading.caption
    if edit.slot == FINDING:
        modality = study_modality(edit.after) if is_study(edit.after) else modality
    if edit.slot.startswith(BELIEF):
        kind = _believing(edit, fact)
        if kind is None:
            return None
        modality = study_modality(kind)
    if edit.slot == CHANGE_SLOT:
        caption = ALONE if edit.after == UNCOMPARED else FOLLOWED
    facts = [_turned(one, edit, fact, reading) for one in reading.facts]
    named = any((one.finding, one.presence) == (edit.before, ABSENT) for one in facts)
    if edit.strategy == "popular" and not named:
        facts.append(Fact(edit.before, "", 0, 0, ABSENT))
    return Reading(caption, tuple(facts), modality)


def _turned(one: Fact, edit: Edit, stated: Fact, reading: Reading) -> Fact:
    slot = edit.slot
    if slot == FINDING:
        if one.presence == ABSENT and one.finding == edit.after:
            return replace(one, finding=edit.before)
        return (
            replace(one, finding=edit.after) if (one.finding, one.presence) == (edit.before, PRESENT) else one
        )
    if one.finding != stated.finding or value_of(one, slot, reading) != edit.before:
        return one
    if slot == PRESENCE:
        return Fact(one.finding, one.text, one.start, one.end, edit.after)
    if slot.startswith(BELIEF):
        return replace(one, finding=str(_believing(edit, stated)), attributes=())
    if slot == CHANGE_SLOT:
        kept = tuple(t for t in one.attributes if lexicon().attributes[t].scale != CHANGE_SLOT)
        said = () if edit.after == UNCOMPARED else (edit.after,)
        return replace(one, attributes=ordered((*kept, *said)))
    return with_value(one, slot, edit.after)


def _believing(edit: Edit, fact: Fact) -> str | None:
    """A kind of image of which the false belief is true, with as many beliefs about it."""
    topic, wanted = edit.slot.removeprefix(BELIEF), len(beliefs(fact.finding))
    kinds = (m for m in lexicon().modalities.values() if belief(topic, m.term) == edit.after)
    return next((m.noun for m in kinds if len(beliefs(m.noun)) == wanted), None)
