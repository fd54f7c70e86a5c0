"""A pair held against the scene that its image was drawn from: is its statement true, and what decides it?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

from benchmarks.premises import SIDES, Claim, claim_of, flat
from mht.knowledge.lexicon import ANYWHERE, DIAGNOSIS, NORMAL, is_study, lexicon, overlaps
from mht.knowledge.slots import BELIEF
from mht.knowledge.spelling import normal_words
from mht.knowledge.vocabulary import concept, find
from mht.phantoms.scene import Scene, findings
from mht.phantoms.truth import holds, image_holds
from mht.records import Pair

SCENE, NEVER, OPEN, UNREAD = "the scene", "never drawn", "left open", "unread"
OPTION = re.compile(r"[A-F]\) (.+?)(?= [B-F]\) |\.$)")
_NONE = "none of these"
# By kind: the names that are true of its image, the part of the body it shows, and what is true of all such images.
_NAMES = {
    "chest_xray": ("radiograph",),
    "head_ct": ("CT image",),
    "blood_smear": ("blood smear", "micrograph"),
    "fundus": ("fundus photograph", "photograph"),
}
_REGIONS = {"chest_xray": "chest", "head_ct": "head", "blood_smear": "blood", "fundus": "globe"}
_XRAYS = {"X-rays", "ionising radiation", "bright"}
_LIGHT = {"visible light", "no ionising radiation"}
_BELIEFS = {
    "chest_xray": _XRAYS | {"the whole depth of the body projected onto one plane"},
    "head_ct": _XRAYS | {"a slice through the body"},
    "blood_smear": _LIGHT | {"cells taken out of the body"},
    "fundus": _LIGHT | {"the surface of a tissue from outside"},
}


# Signs that a caption names beside the finding that bears them: the finding, or the attribute that it has.
_SIGNS = {
    "blunted costophrenic angle": "pleural effusion",
    "flattened diaphragm": "emphysema",
    "contrast enhancement": "enhancing",
    "calcification": "calcified",
    "low attenuation": "hypodense",
    "high attenuation": "hyperdense",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a statement is true, None where that is not known; `by` the scene, or because nothing like it is ever
    drawn. What is not known is left open by the scene, or could not be read.
    """

    true: bool | None
    by: str = SCENE


def statement(pair: Pair, scene: Scene) -> Verdict:
    """Whether the pair's premise is true of the scene."""
    if pair.slot.startswith(BELIEF):
        return Verdict(pair.span in _BELIEFS[scene.kind])
    claim = claim_of(pair)
    return Verdict(None, UNREAD) if claim is None else of_claim(claim, scene)


def evidence(pair: Pair, scene: Scene) -> Verdict:
    """Whether the fact is true that the pair gives as its evidence; what it says of silence is left out."""
    claim = flat(pair.evidence.partition(";")[0])
    return Verdict(None, UNREAD) if claim is None or claim.finding is None else of_claim(claim, scene)


def of_claim(claim: Claim, scene: Scene) -> Verdict:
    """Whether a claim is true of the scene; a denial is true where what it denies is false."""
    if claim.presence is not None:
        return _denied(of_claim(replace(claim, presence=None), scene))
    finding = str(claim.finding)
    if is_study(finding):
        return _known(_of_image(claim, scene))
    if lexicon().findings[finding].kind == NORMAL:
        return _known(_of_normal(finding, scene))
    names = _drawn(scene.kind).get(finding)
    if names is not None:
        return _known(_any([_of_entities(name, claim, scene) for name in names]))
    if finding in _SIGNS:
        return _known(_of_sign(_SIGNS[finding], claim, scene))
    return _undrawn(finding, scene)


def _denied(verdict: Verdict) -> Verdict:
    return replace(verdict, true=None if verdict.true is None else not verdict.true)


def _known(true: bool | None) -> Verdict:
    return Verdict(true, SCENE if true is not None else OPEN)


def _any(told: Sequence[bool | None]) -> bool | None:
    if True in told:
        return True
    return None if None in told else False


def _all(told: Sequence[bool | None]) -> bool | None:
    if False in told:
        return False
    return None if None in told else True


@cache
def _term(name: str) -> str:
    """The lexicon's term for what a scene calls a finding. Raises KeyError where there is none."""
    known = concept(name)
    if known is None or known[0] != "finding":
        raise KeyError(name)
    return known[1]


@cache
def _drawn(kind: str) -> dict[str, tuple[str, ...]]:
    """By every term that the kind's findings fall under, the scene's names of those findings.

    A term that the lexicon composes of a finding and a site of the kind's part of the body is that finding here: an
    infarct on a head CT is a cerebral infarct.
    """
    lex = lexicon()
    region = _REGIONS[kind]
    known: dict[str, list[str]] = {}
    for name in findings(kind):
        own = _term(name)
        placed = {
            term
            for (part, site), term in lex.compositions.items()
            if part == own and overlaps(site.lstrip("="), region)
        }
        for term in {up for one in {own, *placed} for up in lex.ancestors[one]}:
            known.setdefault(term, []).append(name)
    return {term: tuple(names) for term, names in known.items()}


def _of_entities(name: str, claim: Claim, scene: Scene) -> bool | None:
    """The claim of one of the scene's findings, of which there may be several in different places."""
    own = [entity for entity in scene.present if entity.finding == name]
    others = [entity for entity in scene.present if entity.finding != name]
    views = [replace(scene, present=(entity, *others)) for entity in own] or [scene]
    return _any([_holds(name, claim, view) for view in views])


def _holds(name: str, claim: Claim, scene: Scene) -> bool | None:
    """The scene's own word on its first finding of this name; its usual seat needs no word of the scene."""
    seats = {seat.lstrip("=") for seat in lexicon().findings[_term(name)].where} - {ANYWHERE}
    site = claim.site
    if site and seats and scene.present and scene.present[0].site is None:
        site = None if all(overlaps(seat, site) for seat in seats) else site
    return holds(
        scene,
        name,
        side=claim.side,
        site=site,
        severity=claim.severity,
        size_mm=claim.size_mm,
        attributes=claim.attributes,
    )


def _of_sign(bearer: str, claim: Claim, scene: Scene) -> bool | None:
    """The sign's details are those of what bears it; where nothing is known to, a sign may come from elsewhere."""
    told = [
        _of_entities(entity.finding, replace(claim, site=None), scene)
        for entity in scene.present
        if bearer == entity.finding or any(term.endswith(bearer) for term in entity.attributes)
    ]
    return _any(told) if told else False if bearer in scene.absent else None


def _of_normal(finding: str, scene: Scene) -> bool | None:
    """True where all that it excludes is absent, false where something of it is there."""
    excluded = lexicon().excluded[finding]
    names = [name for name in findings(scene.kind) if _term(name) in excluded]
    if any(entity.finding in names for entity in scene.present):
        return False
    return True if names and all(name in scene.absent for name in names) else None


def _of_image(claim: Claim, scene: Scene) -> bool | None:
    region = _REGIONS[scene.kind]
    side = (scene.view or "").removesuffix(" eye")
    return _all(
        [
            claim.finding in _NAMES[scene.kind],
            claim.site is None or overlaps(claim.site, region),
            claim.side is None or (claim.side == side if side in SIDES else None),
            image_holds(scene, claim.attributes),
        ]
    )


def _undrawn(finding: str, scene: Scene) -> Verdict:
    """A finding that no phantom of the kind shows is not there, unless it may be seen in what is: as a kind of it, or
    as a disease that looks like it or goes along with it.
    """
    lex = lexicon()
    near = {finding, *lex.neighbours[finding]} if lex.findings[finding].kind == DIAGNOSIS else {finding}
    for name in findings(scene.kind):
        up = lex.ancestors[_term(name)]
        if name not in scene.absent and (finding in lex.descendants[_term(name)] or not near.isdisjoint(up)):
            return Verdict(None, OPEN)
    return Verdict(False, NEVER)


def beside(pair: Pair, scene: Scene) -> Verdict:
    """Whether all that the question says beside its premise is as it should be: its name for the image true, the other
    options of a multiple choice false, no finding more. True where it says nothing.
    """
    head, _, tail = pair.question.partition(pair.premise)
    around = f"{head}@{tail}"
    told: list[Verdict] = []
    for option in OPTION.findall(around):
        around = around.replace(f") {option}", ")")
        if option not in ("@", _NONE):
            claim = flat(option)
            told.append(Verdict(None, UNREAD) if claim is None else _denied(of_claim(claim, scene)))
    told += [Verdict(noun in _NAMES[scene.kind]) for noun in _named().findall(around)]
    if any(match.kind == "finding" for match in find(normal_words(around))):
        told.append(Verdict(None, UNREAD))
    true = _all([one.true for one in told])
    return next((one for one in told if one.true is true), Verdict(True))


@cache
def _named() -> re.Pattern[str]:
    """A question's name for the image that says of what kind it is: `this radiograph`."""
    nouns = "|".join(re.escape(modality.noun) for modality in lexicon().modalities.values())
    return re.compile(rf"\b(?:this|the) ({nouns})\b", re.IGNORECASE)
