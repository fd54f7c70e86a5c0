"""Terms that a running text uses for something else: codes, frontal views, the base of a bone, `than normal brain`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from mht.knowledge.lexicon import NORMAL, WHOLE, lexicon, role
from mht.knowledge.vocabulary import Match

_OF_REACH, _NEAR = 4, 5
_WEIGHTS = (("t", "1"), ("t", "2"))
_ARTICLES = frozenset({"the", "both"})
_OF_VIEW = frozenset({"chest", "radiograph", "x", "film", "projection", "view", "lateral"})
_ENDS_OF = frozenset({"base", "apex", "neck", "head"})
_WITH_FUNDUS = frozenset({"gastric", "stomach", "uterine", "uterus", "gallbladder", "bladder", "varix"})
_OF_A_PART = (("of",), ("in",), ("within",), ("at",), ("on",))
_LUNG = frozenset({"lung", "lobe", "hemithorax", "thorax", "chest"})


def plain_text(words: Sequence[str], matches: list[Match]) -> list[Match]:
    """The matches without what a running text does not say: letter codes, what is normal elsewhere, a frontal view."""
    odd = (
        _code,
        _vertebra,
        _elsewhere,
        _end_of_another,
        _from_the_front,
        _negated,
        _not_of_all,
        _both_bones,
        _end_of_organ,
    )
    return [m for m in matches if not any(is_odd(words, m) for is_odd in odd)]


def _code(words: Sequence[str], match: Match) -> bool:
    """`400 mg`, `Dr.`: the codes that metadata use are other words in a text."""
    return match.kind == "modality" and match.last - match.first == 1 and words[match.first] in role("code")


def _vertebra(words: Sequence[str], match: Match) -> bool:
    """`C7, T1 and T2`: vertebrae, no weighting."""
    if match.kind != "modality" or words[match.first : match.last] not in (("t", "1"), ("t", "2")):
        return False
    around = words[max(0, match.first - _NEAR) : match.last + _NEAR]
    named = pairwise(around)
    return any(
        one in ("c", "l", "t") and other.isdigit() and (one, other) not in _WEIGHTS for one, other in named
    )


def _end_of_another(words: Sequence[str], match: Match) -> bool:
    """`the base of the fifth metatarsal`, `the apex of the tooth`: no part of the lung."""
    if match.kind != "site" or match.last - match.first > 1 or words[match.first] not in _ENDS_OF:
        return False
    if words[match.first - 1 : match.first] == ("its",):
        return True
    after = words[match.last : match.last + _OF_REACH]
    return after[:1] == ("of",) and _LUNG.isdisjoint(after)


def _from_the_front(words: Sequence[str], match: Match) -> bool:
    """`frontal chest radiograph`: a view, no lobe of the brain."""
    return words[match.first] == "frontal" and not _OF_VIEW.isdisjoint(words[match.last : match.last + 2])


def _not_of_all(words: Sequence[str], match: Match) -> bool:
    """`no abnormality of the heart`: not the whole image is normal."""
    return match.value == WHOLE and words[match.last : match.last + 1] in _OF_A_PART


def _end_of_organ(words: Sequence[str], match: Match) -> bool:
    """`the herniated fundus` of a stomach: no photograph of an eye."""
    alone = match.kind == "modality" and words[match.first : match.last] == ("fundus",)
    return alone and not _WITH_FUNDUS.isdisjoint(words)


def _both_bones(words: Sequence[str], match: Match) -> bool:
    """`both bones of the left forearm`: two bones of one side."""
    return words[match.first] == "both" and words[match.last : match.last + 2] == ("bone", "of")


def _negated(words: Sequence[str], match: Match) -> bool:
    """`non-acute`, `non-necrotic`, where the two are no term of their own."""
    return (
        match.first > 0
        and words[match.first - 1] == "non"
        and match.kind in ("attribute", "severity", "finding")
    )


def _elsewhere(words: Sequence[str], match: Match) -> bool:
    """`isointense to normal brain`: only what something is compared with, or a part between others."""
    if match.kind != "finding" or lexicon().findings[match.value].kind != NORMAL:
        return False
    i = match.first - 1
    if match.value == "clear lungs" and i >= 0 and words[i] in ("left", "right"):
        return True  # one of the two says nothing of the other
    while i >= 0 and words[i] in _ARTICLES:
        i -= 1
    said = words[i] in ("to", "with") and i and words[i - 1] in role("comparing")
    return i >= 0 and (words[i] in role("compared") or bool(said))
