"""What two texts share in substance: terms of the lexicon, facts, sides, numbers, colours and opposites."""

from __future__ import annotations

from mht.evaluation.judges import _lists as lists
from mht.evaluation.judges._stand import share
from mht.evaluation.judges._text import Text
from mht.knowledge.presence import ABSENT, PRESENT
from mht.knowledge.truth import DENIED, POSSIBLE, TRUE, UNSAID, world
from mht.knowledge.vocabulary import find
from mht.records import Reading

_KINDS = ("finding", "site", "modality")
_SIDES = frozenset({"left", "right"})
Term = tuple[str, str]


def conflicts(question: Text, truth: Text, reply: Text) -> dict[str, float]:
    """How often the two say one of two opposites each, or other sides, numbers or colours."""
    q, t, r = (frozenset(text.words) for text in (question, truth, reply))
    flat: int = _parted(t & _SIDES, r & _SIDES)
    flat += _parted(_numbers(t) - _numbers(q), _numbers(r))
    flat += _parted((t & lists.COLOURS) - q, (r & lists.COLOURS) - q)
    flat += sum(_opposed(t, r, pair) or _opposed(r, t, pair) for pair in lists.ANTONYMS)
    return {"flat_conflicts": flat}


def _parted(one: frozenset[str], other: frozenset[str]) -> bool:
    return bool(one and other and not one & other)


def _opposed(one: frozenset[str], other: frozenset[str], pair: tuple[frozenset[str], frozenset[str]]) -> bool:
    """Whether `one` says only the first of a pair of opposites, and `other` only the second."""
    first, second = pair
    return (
        not first.isdisjoint(one)
        and second.isdisjoint(one)
        and first.isdisjoint(other)
        and not second.isdisjoint(other)
    )


def _numbers(words: frozenset[str]) -> frozenset[str]:
    return frozenset(
        lists.NUMBERS.get(word, word) for word in words if word in lists.NUMBERS or word[0].isdigit()
    )


def terms(question: Text, truth: Text, reply: Text) -> dict[str, float]:
    """Findings, sites, modalities and attributes of the lexicon, by concept and not by wording."""
    q, t, r = (_concepts(text) for text in (question, truth, reply))
    return {
        "terms_t": len(t - q),
        "terms_shared": len((t & r) - q),
        "terms_recall": share(len(t & r), len(t)),
        "terms_added": len(r - t - q),
        "terms_precision": share(len(r & t), len(r)),
        "terms_mismatched": sum(_parted(_named(t - q, kind), _named(r - q, kind)) for kind in _KINDS),
    }


def _concepts(text: Text) -> frozenset[Term]:
    kinds = (*_KINDS, "attribute")
    return frozenset((match.kind, match.value) for match in find(text.words) if match.kind in kinds)


def _named(concepts: frozenset[Term], kind: str) -> frozenset[str]:
    return frozenset(value for own, value in concepts if own == kind)


def facts(stated: Reading, claimed: Reading) -> dict[str, float]:
    """The reply's facts held against what the reference makes true, denies, leaves open or does not say."""
    ground, told = world(stated), world(claimed)
    status = [(fact.presence, ground.status(fact.finding)) for fact in claimed.facts]
    return {
        "facts_agreed": status.count((PRESENT, TRUE)) + status.count((ABSENT, DENIED)),
        "facts_against": status.count((PRESENT, DENIED)) + status.count((ABSENT, TRUE)),
        "facts_open": sum(
            there == POSSIBLE or (there == TRUE and said != PRESENT)
            for said, there in status
            if said != ABSENT
        ),
        "facts_added": sum(there == UNSAID for _, there in status),
        "facts_missed": sum(told.status(fact.finding) == UNSAID for fact in stated.facts),
        "facts_t": len(stated.facts),
        "facts_r": len(claimed.facts),
    }
