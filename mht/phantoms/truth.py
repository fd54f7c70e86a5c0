"""What is true of a scene: a claim about a finding is true, false, or not decided by what was drawn."""

from __future__ import annotations

from mht.knowledge.lexicon import lexicon
from mht.knowledge.slots import CHANGE_SLOT, CLEARLY_OTHER, NUMBER, UNCOMPARED
from mht.knowledge.vocabulary import concept
from mht.phantoms.scene import CHANGES, Entity, Scene

NUMBERS = {"single": 1, "two": 2, "three": 3, "four": 4, "five": 5}
MULTIPLE = "multiple"
LADDERS = (("small", "moderate", "large"), ("mild", "moderate", "severe"))
SAME_SIZE = 1.15  # lengths within this ratio are one length in other words
# The lung's top and bottom share room with its lobes.
SHARED_SITES = {"base", "apex"}


def holds(
    scene: Scene,
    finding: str,
    *,
    side: str | None = None,
    site: str | None = None,
    severity: str | None = None,
    attributes: tuple[str, ...] = (),
    size_mm: float | None = None,
    presence: str = "present",
) -> bool | None:
    """Whether the finding is there with every detail given; None where the scene does not decide it.

    `finding` is the scene's own name for it; `site`, `severity` and `attributes` are terms of the lexicon, a number
    among them ("two", "multiple"). With the presence "absent", whether nothing of that description is there.
    """
    if presence == "absent":
        there = holds(
            scene, finding, side=side, site=site, severity=severity, attributes=attributes, size_mm=size_mm
        )
        return None if there is None else not there
    entity = next((one for one in scene.present if one.finding == finding), None)
    if entity is None:
        return False if finding in scene.absent else None
    told = [_sided(side, entity), _sited(site, entity), _graded(severity, entity), _sized(size_mm, entity)]
    return _all([*told, *(_described(term, entity, scene) for term in attributes)])


def image_holds(scene: Scene, attributes: tuple[str, ...]) -> bool | None:
    """Whether the image is of this plane, projection or contrast; None for what the scene does not have."""
    return _all([_on_scale(term, scene.attributes) for term in attributes])


def _all(told: list[bool | None]) -> bool | None:
    if False in told:
        return False
    return None if None in told else True


def _sided(claimed: str | None, entity: Entity) -> bool | None:
    if claimed is None:
        return True
    if entity.side is None:
        return None
    return claimed == entity.side or entity.side == "bilateral"


def _sited(claimed: str | None, entity: Entity) -> bool | None:
    """A place that holds the entity's is true, a part of the entity's is not decided, any other is false."""
    if claimed is None or claimed == entity.site:
        return True
    one, other = _place(claimed), _place(entity.site)
    if one is None or other is None:
        return None
    up = lexicon().site_ancestors
    if one in up[other]:
        return True
    return None if other in up[one] or entity.site in SHARED_SITES or claimed in SHARED_SITES else False


def _place(site: str | None) -> str | None:
    """The lexicon's site that a phrase names."""
    named = concept(site) if site else None
    return named[1] if named and named[0] == "site" else None


def _graded(claimed: str | None, entity: Entity) -> bool | None:
    """Another step of a scene's own ladder is false; a word of the lexicon's scale is false from two ranks on."""
    stated = entity.severity
    if claimed is None or claimed == stated:
        return True
    if any(claimed in ladder and stated in ladder for ladder in LADDERS):
        return False
    known = lexicon().severities
    if (
        stated is None
        or stated not in known
        or claimed not in known
        or known[stated].scale != known[claimed].scale
    ):
        return None
    return False if abs(known[stated].rank - known[claimed].rank) >= 2 else None


def _sized(claimed: float | None, entity: Entity) -> bool | None:
    if claimed is None:
        return True
    if entity.size_mm is None:
        return None
    ratio = max(claimed, entity.size_mm) / min(claimed, entity.size_mm)
    return True if ratio <= SAME_SIZE else False if ratio >= CLEARLY_OTHER else None


def _described(term: str, entity: Entity, scene: Scene) -> bool | None:
    scale = lexicon().attributes[term].scale
    if scale == NUMBER:
        return _numbered(term, entity)
    if scale == CHANGE_SLOT and not _compared(scene):
        return term == UNCOMPARED
    return _on_scale(term, entity.attributes)


def _numbered(term: str, entity: Entity) -> bool | None:
    """Two to five may be called multiple or not."""
    if entity.count is None:
        return None
    if term == MULTIPLE:
        return entity.count > 1 if entity.count not in range(2, 6) else None
    return NUMBERS[term] == entity.count


def _compared(scene: Scene) -> bool:
    """Whether there is an earlier study of anything."""
    return any(term in CHANGES for entity in scene.present for term in entity.attributes)


def _on_scale(term: str, stated: tuple[str, ...]) -> bool | None:
    """True where the term is stated, false where a clearly other one of its scale is."""
    known = lexicon().attributes
    ranks = [known[one].rank for one in stated if known[one].scale == known[term].scale]
    if term in stated:
        return True
    if not ranks:
        return None
    return False if all(abs(rank - known[term].rank) >= 2 for rank in ranks) else None
