"""A second sentence about a finding: what it is like, and what became of it since an earlier study."""

from __future__ import annotations

from mht.phantoms import attribute
from mht.phantoms.phrase import Clause, Speaker, upper_first
from mht.phantoms.scene import Entity

EARLIER = ("previous study", "previous examination", "prior study", "earlier examination")
_CHANGED = (
    "{np} {has} {term} since the {earlier}.",
    "{np} {has} {term} since the {earlier}.",
    "Compared with the {earlier}, {np} {has} {term}.",
    "{np} {has} {term} in the interval.",
)
_UNCHANGED = (
    "{np} {is_} unchanged since the {earlier}.",
    "{np} {is_} stable since the {earlier}.",
    "Compared with the {earlier}, {np} {is_} unchanged.",
)
_DESCRIBED = 0.3


def remarks(speaker: Speaker, entity: Entity, said: frozenset[str]) -> list[Clause]:
    """What the sentence before left unsaid: an earlier study always, other attributes now and then."""
    out: list[Clause] = []
    if not speaker.style.terse and speaker.rng.random() < _DESCRIBED:
        left = [term for term in attribute.some(entity, 0.6, speaker.rng) if term not in said]
        if left:
            out.append(_description(speaker, entity, left))
    if (term := attribute.change(entity)) is not None and term not in said:
        out.append(_course(speaker, entity, term))
    return out


def _description(speaker: Speaker, entity: Entity, terms: list[str]) -> Clause:
    """ "The nodule is well-defined.", "The mass has ill-defined, spiculated margins." """
    name = speaker.definite(entity)
    words = [attribute.adjective(term, speaker.rng) for term in terms]
    if all(term in attribute.EDGES for term in terms) and speaker.rng.random() < 0.4:
        text = f"{name.text} {_has(name)} {', '.join(words)} margins."
    else:
        text = f"{name.text} {_is(name)} {' and '.join(words)}."
    return Clause(upper_first(text), name.plural, name.said | set(terms))


def _course(speaker: Speaker, entity: Entity, term: str) -> Clause:
    """ "The left effusion has increased since the previous study." """
    name = speaker.definite(entity)
    frame = speaker.rng.choice(_UNCHANGED if term == "unchanged" else _CHANGED)
    earlier = speaker.rng.choice(EARLIER)
    text = frame.format(np=name.text, has=_has(name), is_=_is(name), term=term, earlier=earlier)
    return Clause(upper_first(text), name.plural, name.said | {term})


def _has(name: Clause) -> str:
    return "have" if name.plural else "has"


def _is(name: Clause) -> str:
    return "are" if name.plural else "is"
