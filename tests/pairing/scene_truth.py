"""What a phantom's scene makes of a pair's premise: true, false, or not decided by what was drawn."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from mht.knowledge.claims import claims
from mht.knowledge.lexicon import is_study, lexicon
from mht.knowledge.presence import PRESENT
from mht.knowledge.slots import BELIEF
from mht.knowledge.vocabulary import concept
from mht.phantoms.scene import Entity, Scene, findings
from mht.phantoms.truth import holds, image_holds
from mht.records import Fact, Pair

IMAGES = {
    "head_ct": {"CT image"},
    "chest_xray": {"radiograph"},
    "blood_smear": {"blood smear", "micrograph"},
    "fundus": {"fundus photograph", "photograph"},
}
REGIONS = {"head_ct": "head", "chest_xray": "chest"}
BELIEVED = {
    "chest_xray": (
        "X-rays",
        "ionising radiation",
        "bright",
        "the whole depth of the body projected onto one plane",
    ),
    "head_ct": ("X-rays", "ionising radiation", "bright", "a slice through the body"),
    "fundus": ("visible light", "no ionising radiation", "the surface of a tissue from outside"),
    "blood_smear": ("visible light", "no ionising radiation", "cells taken out of the body"),
}
SAME = {"cerebral infarct": "infarct"}
"""Findings of the lexicon that a scene calls by a wider name."""
SIGNS = {
    "high attenuation": "hyperdense",
    "low attenuation": "hypodense",
    "calcification": "calcified",
    "flattened diaphragm": "emphysema",
    "blunted costophrenic angle": "pleural effusion",
}
"""Findings that a scene holds as an attribute of another one, or that its captions give beside it."""


@lru_cache(maxsize=8)
def names(kind: str) -> dict[str, str]:
    """The lexicon's concept of each of a kind's findings, with the scene's own name."""
    known = {name: concept(name) for name in findings(kind)}
    return {found[1]: name for name, found in known.items() if found}


def premise_holds(pair: Pair, scene: Scene) -> bool | None:
    """Whether the premise is true of the scene; None where the scene does not decide it."""
    if pair.slot.startswith(BELIEF):
        return pair.span in BELIEVED[scene.kind]
    claimed = claims(pair.premise)
    return _all([claim_holds(claim, scene) for claim in claimed]) if claimed else None


def _all(told: list[bool | None]) -> bool | None:
    return False if False in told else None if None in told else True


def claim_holds(claim: Fact, scene: Scene) -> bool | None:
    told = _there(claim, scene)
    return told if claim.presence == PRESENT or told is None else not told


def _there(claim: Fact, scene: Scene) -> bool | None:
    own = names(scene.kind)
    finding = SAME.get(claim.finding, claim.finding)
    if is_study(finding):
        return _image(claim, scene)
    if lexicon().findings[finding].kind == "normal":
        return _normal(finding, scene)
    if finding in SIGNS and finding not in own:
        hosts = [e for e in scene.present if SIGNS[finding] in (e.finding, *e.attributes)]
        return _any([_stated(claim, host.finding, scene) for host in hosts] or [None])
    told = [_stated(claim, own[kind], scene) for kind in own if finding in lexicon().ancestors[kind]]
    if told:
        return _any(told)
    wider = any(_concept(entity) in lexicon().ancestors[finding] for entity in scene.present)
    return None if wider or lexicon().findings[finding].kind == "diagnosis" else False


def _stated(claim: Fact, name: str, scene: Scene) -> bool | None:
    given = replace(claim, presence=PRESENT)
    return holds(
        scene,
        name,
        side=given.side,
        site=given.site,
        severity=given.severity,
        attributes=given.attributes,
        size_mm=given.size_mm,
    )


def _any(told: list[bool | None]) -> bool | None:
    return True if True in told else None if None in told else False


def _concept(entity: Entity) -> str:
    known = concept(entity.finding)
    assert known is not None, entity.finding
    return known[1]


def _image(claim: Fact, scene: Scene) -> bool | None:
    if claim.finding not in IMAGES[scene.kind]:
        return False
    region = REGIONS.get(scene.kind)
    if claim.site not in (None, region):
        return False if region else None
    return image_holds(scene, claim.attributes)


def _normal(finding: str, scene: Scene) -> bool | None:
    """False where something is there that it excludes, true where all that it excludes of the kind is absent."""
    against = lexicon().excluded[finding]
    if any(_concept(entity) in against for entity in scene.present):
        return False
    excluded = [name for known, name in names(scene.kind).items() if known in against]
    return True if excluded and all(name in scene.absent for name in excluded) else None
