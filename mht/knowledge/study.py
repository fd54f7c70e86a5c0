"""What the image itself is, as the caption says it: an MR image of the left knee."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from mht.knowledge.lexicon import GENERIC, STUDY_SCALES, lexicon, role
from mht.knowledge.modifiers import SIDES
from mht.knowledge.slots import ordered
from mht.knowledge.vocabulary import Match, attribute_words

REGIONS = frozenset({"head", "neck", "spine", "chest", "abdomen", "pelvis"})
_REACH = 6
_SAME_BREATH = 2
_OF_SPECIMENS = frozenset({"histology", "smear"})
_NOT_THIS = frozenset({"deny", "past", "bearer", "hedge"})
_OWN_PICTURE = ("breast", "heart", "globe", "temporal bone", "hand", "foot", "knee", "shoulder")
"""Parts that are imaged for themselves: an image of the patella is one of the knee, of the heart none of the chest."""


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
    if chain[-1] == "limb" and lex.siblings[site]:
        return site
    if (own := next((part for part in _OWN_PICTURE if part in chain), None)) is not None:
        return own
    if chain[-1] in REGIONS:
        return site if lex.siblings[site] and chain[-1] == "spine" and len(chain) == 2 else chain[-1]
    return site if chain[-1] == "limb" and site != "limb" else None


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
        region, side = _shown(words, matches, examined(words, matches, k))
        attributes = _attributes(words, matches, match.value)
        if _of_heart(attributes):
            region, side = "heart", None
        yield Study(match.value, match, region, side, attributes, match.first > reach)
        reach = min(reach, match.last + _SAME_BREATH)


def unnamed(words: Sequence[str], matches: Sequence[Match]) -> Study | None:
    """An image of which the text says the plane, the view or the like, and not the kind: `lateral view of the knee`."""
    for k, match in enumerate(matches):
        if match.kind != "attribute" or not _names_picture(words, matches, match):
            continue
        region, side = _shown(words, matches, examined(words, matches, k))
        attributes = _attributes(words, matches, GENERIC)
        return Study(GENERIC, match, "heart" if _of_heart(attributes) else region, side, attributes)
    return None


def _of_heart(attributes: Sequence[str]) -> bool:
    return any(lexicon().attributes[term].scale == "heart view" for term in attributes)


def _names_picture(words: Sequence[str], matches: Sequence[Match], match: Match) -> bool:
    """Whether a plane or a view stands right beside a word for the picture."""
    if lexicon().attributes[match.value].scale not in _UNNAMED:
        return False
    if words[match.first : match.last][-1] in _BESIDE:
        return True
    i = next(
        (m.last for m in matches if m.first == match.last and m.kind in ("attribute", "site")), match.last
    )
    return not _BESIDE.isdisjoint(words[i : i + 1])


def _shown(
    words: Sequence[str], matches: Sequence[Match], site: Match | None
) -> tuple[str | None, str | None]:
    """The part that an image shows and the side of it, by the site that the text names with it or, without one, by
    the one part of the body that all places of the text lie in.
    """
    if site is None:
        return _common_part(words, matches), None
    region = _region(site.value)
    if region is None or lexicon().sites[region].sided != "yes" or region in REGIONS:
        return region, None
    return region, next((SIDES[m.value] for m in matches if m.last == site.first and m.value in SIDES), None)


def _common_part(words: Sequence[str], matches: Sequence[Match]) -> str | None:
    """The part of the body that holds every place the text names; None where it names none, or two parts."""
    if any(m.kind == "cue" and m.value in _NOT_THIS for m in matches):
        return None  # what is past or denied may be of another part
    parts = {_region(m.value) for m in matches if m.kind == "site"} - {None}
    return parts.pop() if len(parts) == 1 else None


def _is_procedure(words: Sequence[str], match: Match) -> bool:
    """`laparoscopic pyeloplasty`, `endoscopic resection`: what was done, not what is seen."""
    if match.value != "endoscopy" or match.last >= len(words):
        return False
    after = words[match.last]
    return after in role("procedure") or after.endswith(("ectomy", "plasty", "otomy", "ostomy"))


_SECTIONS = frozenset({"CT", "MR"})
_PROJECTIONS = frozenset({"radiograph", "angiography", "fluoroscopy", "mammography"})
_OF_MODALITY = {
    "plane": _SECTIONS | {"ultrasound"},
    "view": _PROJECTIONS,
    "technique": frozenset({"radiograph"}),
    "sequence": frozenset({"MR"}),
    "phase": _SECTIONS,
    "perfusion phase": _SECTIONS,
    "window": frozenset({"CT"}),
    "rendering": _SECTIONS | {"ultrasound", "angiography"},
    "approach": frozenset({"ultrasound"}),
    "mode": frozenset({"ultrasound"}),
    "heart view": frozenset({"ultrasound", "MR", "CT"}),
}
_UNNAMED = ("plane", "view", "technique", "heart view", "rendering", "window", "perfusion phase")
_BESIDE = frozenset(
    {
        "view",
        "projection",
        "film",
        "image",
        "section",
        "slice",
        "scan",
        "radiograph",
        "plane",
        "cut",
        "reconstruction",
    }
)
_TIMING_REACH = 5


def _attributes(words: Sequence[str], matches: Sequence[Match], modality: str) -> tuple[str, ...]:
    """Plane, view, sequence, contrast and the like of the image, each where the text gives exactly one."""
    found: dict[str, set[str]] = {}
    known = lexicon().attributes
    for match in matches:
        for term in _terms(words, match):
            scale = known[term].scale
            if _is_of_image(words, matches, match, scale, modality):
                found.setdefault(scale, set()).add(term)
    return ordered(tuple(term for terms in found.values() if len(terms) == 1 for term in terms))


def _is_of_image(
    words: Sequence[str], matches: Sequence[Match], match: Match, scale: str, modality: str
) -> bool:
    """Whether a word of a scale is said of the image of this kind, and not of what it shows."""
    if match.first and words[match.first - 1] in ("extra", "intra"):
        return False  # an extra-axial mass is no plane
    if scale == "timing":
        return _leads_to_image(matches, match)
    if modality == GENERIC:
        return scale in _UNNAMED and _names_picture(words, matches, match)
    if modality not in _OF_MODALITY.get(scale, ()):
        return False
    if scale == "heart view" and words[match.last - 1] == "axis" and match.last - match.first < 3:
        return _names_picture(words, matches, match)  # "the long axis of the femur" is no view of the heart
    if scale == "plane" and modality == "ultrasound":
        return _names_picture(words, matches, match) or _next_to_image(matches, match)
    return scale != "view" or _named_beside(words, matches, match)


def _leads_to_image(matches: Sequence[Match], match: Match) -> bool:
    """`a postoperative lateral radiograph`: nothing but what describes the image stands between."""
    behind = [m for m in matches if match.last <= m.first <= match.last + _TIMING_REACH]
    for other in behind:
        if other.kind == "modality":
            return True
        if other.kind not in ("attribute", "site") and other.value not in SIDES:
            return False
    return match.first == 0 and not any(m.kind == "modality" for m in matches)


def _next_to_image(matches: Sequence[Match], match: Match) -> bool:
    return any(m.kind == "modality" and (m.first == match.last or m.last == match.first) for m in matches)


def _terms(words: Sequence[str], match: Match) -> tuple[str, ...]:
    """The attribute that a match is, or those that the name of a modality holds: `T2-weighted` is MR and a sequence."""
    if match.kind == "attribute":
        return (match.value,)
    return _held_terms(tuple(words[match.first : match.last])) if match.kind == "modality" else ()


@lru_cache(maxsize=1 << 12)
def _held_terms(name: tuple[str, ...]) -> tuple[str, ...]:
    """The longest attributes in a modality's name: a transthoracic echocardiogram, a panoramic radiograph."""
    known, scales = attribute_words(), lexicon().attributes
    for size in range(len(name), 0, -1):
        found = (known.get(name[i : i + size]) for i in range(len(name) - size + 1))
        held = tuple(dict.fromkeys(term for term in found if term and scales[term].scale in STUDY_SCALES))
        if held:
            return held
    return ()


def _named_beside(words: Sequence[str], matches: Sequence[Match], match: Match) -> bool:
    """Whether `lateral` or `AP` speaks of the image: a word such as view or radiograph is near."""
    near = words[max(0, match.first - 2) : match.last + 3]
    return not _BESIDE.isdisjoint(near) or any(
        m.kind == "modality" and -3 <= m.first - match.last <= 2 for m in matches
    )
