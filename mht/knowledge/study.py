"""What the image itself is, as the caption says it: an MR image of the left knee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mht.knowledge.lexicon import lexicon, role
from mht.knowledge.modifiers import SIDES
from mht.knowledge.slots import ordered
from mht.knowledge.vocabulary import Match, attribute_words

REGIONS = frozenset({"head", "neck", "spine", "chest", "abdomen", "pelvis"})
_REACH = 6
_SAME_BREATH = 2
_OF_SPECIMENS = frozenset({"histology", "smear"})
_NOT_THIS = frozenset({"deny", "past", "bearer", "hedge"})


@dataclass(frozen=True, slots=True)
class Study:
    """A modality that the text names, with the region and side that were examined, where it says so."""

    modality: str
    match: Match
    region: str | None
    side: str | None
    attributes: tuple[str, ...] = ()
    open: bool = False


def _region(site: str) -> str | None:
    """The site itself where it has siblings to be mistaken for, else the part of the body that holds it."""
    lex = lexicon()
    chain = lex.site_ancestors[site]
    if "breast" in chain or "heart" in chain:
        return None  # an image of these is not one of the whole chest
    if chain[-1] in REGIONS:
        return site if lex.siblings[site] and chain[-1] == "spine" and len(chain) == 2 else chain[-1]
    return site if lex.siblings[site] and chain[-1] == "limb" else None


def examined(words: Sequence[str], matches: Sequence[Match], k: int) -> Match | None:
    """The site that stands right before the modality, or after it with nothing but filler between."""
    modality = matches[k]
    if k and matches[k - 1].kind == "site" and matches[k - 1].last == modality.first:
        return matches[k - 1]
    for match in matches[k + 1 :]:
        between = words[modality.last : match.first]
        plain = sum(word not in role("examined") and word not in SIDES for word in between)
        alone = match.kind != "site" or words[match.last : match.last + 1] in ((",",), (":",), (".",), (";",))
        if (
            match.first - modality.last > _REACH
            or plain > 1
            or "." in between
            or ("," in between and not alone)
        ):
            return None
        if match.kind == "site":
            return match
        if match.kind not in ("modality", "cue"):
            return None
    return None


def studies(words: Sequence[str], matches: Sequence[Match]) -> Iterator[Study]:
    """Every kind of image that the text names as its own, each once; one that is denied or past is left out.

    What is named after another kind and not in one breath with it (`PET/CT`) may be of another image: it stays open.
    """
    seen: set[str] = set()
    reach = len(words)
    for k, match in enumerate(matches):
        if match.kind != "modality" or match.value in seen:
            continue
        before = matches[k - 1] if k else None
        if before and before.kind == "cue" and before.value in _NOT_THIS and match.first - before.last < 4:
            continue
        if _is_procedure(words, match):
            continue
        if seen and match.value in _OF_SPECIMENS:
            continue  # "CT … ; histology showed a sarcoma": the image is not of the specimen
        seen.add(match.value)
        site = examined(words, matches, k)
        region = _region(site.value) if site else None
        side = None
        if site and region == site.value and lexicon().sites[region].sided == "yes":
            side = next((SIDES[m.value] for m in matches if m.last == site.first and m.value in SIDES), None)
        attributes = _attributes(words, matches, match.value)
        yield Study(match.value, match, region, side, attributes, match.first > reach)
        reach = min(reach, match.last + _SAME_BREATH)


def _is_procedure(words: Sequence[str], match: Match) -> bool:
    """`laparoscopic pyeloplasty`, `endoscopic resection`: what was done, not what is seen."""
    if match.value != "endoscopy" or match.last >= len(words):
        return False
    after = words[match.last]
    return after in role("procedure") or after.endswith(("ectomy", "plasty", "otomy", "ostomy"))


_OF_MODALITY = {
    "plane": frozenset({"CT", "MR"}),
    "view": frozenset({"radiograph"}),
    "sequence": frozenset({"MR"}),
    "phase": frozenset({"CT", "MR"}),
}
_BESIDE = frozenset(
    {"view", "projection", "film", "image", "section", "slice", "scan", "radiograph", "plane"}
)


def _attributes(words: Sequence[str], matches: Sequence[Match], modality: str) -> tuple[str, ...]:
    """Plane, view, sequence and contrast of the image, each where the text gives exactly one."""
    found: dict[str, set[str]] = {}
    known = lexicon().attributes
    for match in matches:
        term = _term(words, match)
        if term is None or modality not in _OF_MODALITY.get(known[term].scale, ()):
            continue
        if match.first and words[match.first - 1] in ("extra", "intra"):
            continue  # an extra-axial mass is no plane
        if known[term].scale == "view" and not _named_beside(words, matches, match):
            continue
        found.setdefault(known[term].scale, set()).add(term)
    return ordered(tuple(term for terms in found.values() if len(terms) == 1 for term in terms))


def _term(words: Sequence[str], match: Match) -> str | None:
    """The attribute that a match is, or that the name of a modality holds: `T2-weighted` is MR and a sequence."""
    if match.kind == "attribute":
        return match.value
    return attribute_words().get(tuple(words[match.first : match.last])) if match.kind == "modality" else None


def _named_beside(words: Sequence[str], matches: Sequence[Match], match: Match) -> bool:
    """Whether `lateral` or `AP` speaks of the image: a word such as view or radiograph is near."""
    near = words[max(0, match.first - 2) : match.last + 3]
    return not _BESIDE.isdisjoint(near) or any(
        m.kind == "modality" and -3 <= m.first - match.last <= 2 for m in matches
    )
