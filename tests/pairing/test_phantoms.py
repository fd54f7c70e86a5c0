"""Pairs made from phantoms' captions, held against the scenes: the exact truth."""

from __future__ import annotations

from collections import Counter

import pytest

from mht import catalog
from mht.knowledge.vocabulary import concept
from mht.pairing.twins import make_pairs
from mht.phantoms.scene import KINDS, Scene, findings
from mht.records import Pair
from tests.pairing.corpus import context, phantoms
from tests.pairing.scene_truth import premise_holds

Made = list[tuple[Scene, str, tuple[Pair, ...]]]


@pytest.fixture(scope="module")
def made() -> Made:
    drawn = phantoms(100, 1)
    setting = context([named for _, named in drawn])
    return [(scene, r.caption, make_pairs(i, "train", r, setting).pairs) for scene, (i, r) in drawn]


def test_every_finding_of_a_phantom_is_in_the_lexicon() -> None:
    for kind in KINDS:
        for finding in findings(kind):
            known = concept(finding)
            assert known is not None, finding
            assert known[0] == "finding", finding


def test_faithful_premises_are_true_and_hallucinated_ones_false(made: Made) -> None:
    told: Counter[tuple[str, str]] = Counter()
    wrong = []
    for scene, caption, pairs in made:
        for pair in pairs:
            truth = premise_holds(pair, scene)
            verdict = (
                "undecided" if truth is None else "right" if truth == (pair.state == "faithful") else "wrong"
            )
            told[(pair.state, verdict)] += 1
            if verdict == "wrong":
                wrong.append(f"{pair.state} {pair.type}: {pair.premise!r} of {caption!r}")
    print(dict(told), *wrong, sep="\n")
    for state in ("faithful", "hallucinated"):
        right, false, open_ = (told[(state, verdict)] for verdict in ("right", "wrong", "undecided"))
        assert right > 1000
        assert right / (right + false) >= 0.995, wrong
        assert open_ / (right + false + open_) <= 0.05


def test_every_kind_of_hallucination_is_judged_by_the_scenes(made: Made) -> None:
    judged = Counter(p.type for scene, _, pairs in made for p in pairs if premise_holds(p, scene) is not None)
    assert set(judged) == set(catalog.names("perturbations"))


def test_phantoms_yield_nearly_the_pairs_asked_for(made: Made) -> None:
    assert sum(len(pairs) for _, _, pairs in made) / len(made) >= 8.5
