"""Pairs made from phantoms' captions, held against the scenes: the exact truth."""

from __future__ import annotations

from collections import Counter

import pytest

from mht.knowledge.claims import claims
from mht.knowledge.facts import read_facts
from mht.knowledge.lexicon import lexicon, overlaps
from mht.knowledge.vocabulary import concept
from mht.pairing.twins import make_pairs
from mht.phantoms.caption import caption_rng, narrate
from mht.phantoms.scene import KINDS, Entity, Scene, draw_scene, findings
from mht.records import Fact, Pair
from tests.pairing.corpus import context

IMAGES = {"CT image": "head_ct", "radiograph": "chest_xray", "blood smear": "blood_smear", "micrograph": "blood_smear",
          "fundus photograph": "fundus", "photograph": "fundus"}  # fmt: skip
REGIONS = {"head_ct": "head", "chest_xray": "chest"}


def _concept(name: str) -> str:
    known = concept(name)
    assert known is not None, name
    return known[1]


def _fits(claim: Fact, entity: Entity, scene: Scene) -> bool:
    lex, finding = lexicon(), _concept(entity.finding)
    if claim.finding not in lex.ancestors[finding] and (finding, claim.finding) != (
        "infarct",
        "cerebral infarct",
    ):
        return False
    side = entity.side or (scene.view or "").removesuffix(" eye")
    site = concept(entity.site) if entity.site else None
    return (
        (claim.side is None or side in (claim.side, "bilateral"))
        and (claim.severity is None or claim.severity == entity.severity)
        and (claim.site is None or site is None or overlaps(claim.site, site[1]))
    )


def _true(claim: Fact, scene: Scene) -> bool:
    finding = lexicon().findings[claim.finding]
    if finding.kind == "study":
        return IMAGES.get(claim.finding) == scene.kind and claim.site in (None, REGIONS.get(scene.kind))
    if finding.kind == "normal":
        present = {_concept(entity.finding) for entity in scene.present}
        return present.isdisjoint(lexicon().excluded[claim.finding])
    return any(_fits(claim, entity, scene) for entity in scene.present)


@pytest.fixture(scope="module")
def made() -> list[tuple[Scene, tuple[Pair, ...]]]:
    scenes = [draw_scene(kind, index, 1) for index in range(110) for kind in KINDS]
    corpus = [(f"{s.kind}{s.index}", read_facts(narrate(s, caption_rng(s)).text)) for s in scenes]
    setting = context(corpus)
    return [(s, make_pairs(i, "train", r, setting).pairs) for s, (i, r) in zip(scenes, corpus, strict=True)]


def test_every_finding_of_a_phantom_is_in_the_lexicon() -> None:
    for kind in KINDS:
        for finding in findings(kind):
            known = concept(finding)
            assert known is not None, finding
            assert known[0] == "finding", finding


def test_faithful_premises_are_true_and_hallucinated_ones_false(
    made: list[tuple[Scene, tuple[Pair, ...]]],
) -> None:
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for scene, pairs in made:
        for pair in pairs:
            claimed = claims(pair.question)
            total[pair.state] += 1
            truth = bool(claimed) and all(_true(claim, scene) for claim in claimed)
            right[pair.state] += truth == (pair.state == "faithful")
    assert total["faithful"] == total["hallucinated"] > 1000
    assert right["hallucinated"] / total["hallucinated"] >= 0.99
    assert right["faithful"] / total["faithful"] >= 0.985


def test_phantoms_yield_nearly_the_pairs_asked_for(made: list[tuple[Scene, tuple[Pair, ...]]]) -> None:
    assert sum(len(pairs) for _, pairs in made) / len(made) >= 7.5
    assert {p.type for _, pairs in made for p in pairs} >= {"existence", "laterality", "location", "severity"}


def test_statements_are_read() -> None:
    read = stated = 0
    for index in range(60):
        for kind in KINDS:
            scene = draw_scene(kind, index, 2)
            narrative = narrate(scene, caption_rng(scene))
            facts = {(f.finding, f.presence) for f in read_facts(narrative.text).facts}
            for statement in narrative.statements:
                if statement.named:
                    stated += 1
                    finding = _concept(statement.finding)
                    near = (
                        lexicon().ancestors[finding] | lexicon().descendants[finding] | {"cerebral infarct"}
                    )
                    read += any((name, statement.presence) in facts for name in near)
    assert read / stated >= 0.98
