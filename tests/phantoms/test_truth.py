"""What is true of a scene: true, false, or not decided, for each detail that a claim can give."""

from typing import Any

import pytest

from mht.knowledge.lexicon import lexicon
from mht.phantoms.caption import caption_rng, narrate
from mht.phantoms.scene import KINDS, Entity, Scene, draw_scene, findings
from mht.phantoms.truth import holds, image_holds

NODULE = Entity(
    "pulmonary nodule", "right", "upper lobe", None, 12.0, 2, attributes=("ill-defined", "unchanged")
)
EFFUSION = Entity("pleural effusion", "bilateral", None, "moderate")
FILM = Scene("chest_xray", "x-ray", "PA", (NODULE, EFFUSION), ("pneumothorax",), 0, 0, ("PA",))
ALONE = Scene("chest_xray", "x-ray", "PA", (EFFUSION,), (), 0, 0)


@pytest.mark.parametrize(
    ("finding", "details", "wanted"),
    [
        ("pulmonary nodule", {}, True),
        ("pneumothorax", {}, False),
        ("lung mass", {}, None),
        ("pulmonary nodule", {"side": "right"}, True),
        ("pulmonary nodule", {"side": "left"}, False),
        ("pulmonary nodule", {"side": "bilateral"}, False),
        ("pleural effusion", {"side": "left"}, True),
        ("pulmonary nodule", {"site": "upper lobe"}, True),
        ("pulmonary nodule", {"site": "lung"}, True),
        ("pulmonary nodule", {"site": "lower lobe"}, False),
        ("pulmonary nodule", {"site": "apex"}, None),
        ("pleural effusion", {"site": "lower lobe"}, None),
        ("pleural effusion", {"severity": "moderate"}, True),
        ("pleural effusion", {"severity": "small"}, False),
        ("pulmonary nodule", {"severity": "small"}, None),
        ("pulmonary nodule", {"size_mm": 13.0}, True),
        ("pulmonary nodule", {"size_mm": 16.0}, None),
        ("pulmonary nodule", {"size_mm": 30.0}, False),
        ("pleural effusion", {"size_mm": 30.0}, None),
        ("pulmonary nodule", {"attributes": ("ill-defined",)}, True),
        ("pulmonary nodule", {"attributes": ("well-defined",)}, False),
        ("pulmonary nodule", {"attributes": ("spiculated",)}, None),
        ("pulmonary nodule", {"attributes": ("spiculated", "well-defined")}, False),
        ("pulmonary nodule", {"attributes": ("two",)}, True),
        ("pulmonary nodule", {"attributes": ("three",)}, False),
        ("pulmonary nodule", {"attributes": ("multiple",)}, None),
        ("pleural effusion", {"attributes": ("two",)}, None),
        ("pulmonary nodule", {"attributes": ("unchanged",)}, True),
        ("pulmonary nodule", {"attributes": ("increased",)}, False),
        ("pleural effusion", {"attributes": ("increased",)}, None),
        ("pulmonary nodule", {"side": "left", "size_mm": 16.0}, False),
        ("pneumothorax", {"presence": "absent"}, True),
        ("pulmonary nodule", {"presence": "absent"}, False),
        ("pulmonary nodule", {"presence": "absent", "side": "left"}, True),
        ("lung mass", {"presence": "absent"}, None),
    ],
)
def test_a_claim_is_true_false_or_not_decided(
    finding: str, details: dict[str, Any], wanted: bool | None
) -> None:
    assert holds(FILM, finding, **details) is wanted


def test_without_an_earlier_study_nothing_has_changed_or_stayed() -> None:
    assert holds(ALONE, "pleural effusion", attributes=("unchanged",)) is False
    assert holds(ALONE, "pleural effusion", attributes=("uncompared",)) is True


@pytest.mark.parametrize(("count", "wanted"), [(1, False), (3, None), (9, True)])
def test_more_than_five_are_multiple(count: int, wanted: bool | None) -> None:
    scene = Scene("blood_smear", "microscopy", None, (Entity("platelet", count=count),), (), 0, 0)
    assert holds(scene, "platelet", attributes=("multiple",)) is wanted


def test_the_image_has_its_projection() -> None:
    assert image_holds(FILM, ("PA",)) is True
    assert image_holds(FILM, ("AP",)) is False
    assert image_holds(FILM, ("axial",)) is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_statement_holds_and_its_denial_does_not(kind: str) -> None:
    for index in range(150):
        scene = draw_scene(kind, index, 4)
        for one in narrate(scene, caption_rng(scene)).statements:
            told: dict[str, Any] = {
                "side": one.side,
                "site": one.site,
                "severity": one.severity,
                "size_mm": one.size_mm,
                "attributes": one.attributes,
            }
            assert holds(scene, one.finding, presence=one.presence, **told) is True, one
            other = "absent" if one.presence == "present" else "present"
            assert holds(scene, one.finding, presence=other, **told) is False, one


@pytest.mark.parametrize("kind", KINDS)
def test_another_word_of_an_attributes_scale_is_false(kind: str) -> None:
    known = lexicon().attributes
    asked = 0
    for index in range(120):
        scene = draw_scene(kind, index, 4)
        for entity in scene.present:
            for term in entity.attributes:
                scale, rank = known[term].scale, known[term].rank
                others = [a.term for a in known.values() if a.scale == scale and abs(a.rank - rank) > 1]
                asked += len(others)
                assert all(holds(scene, entity.finding, attributes=(one,)) is False for one in others)
    assert asked > 60


def test_every_kind_decides_every_one_of_its_findings() -> None:
    for kind in KINDS:
        told = [holds(draw_scene(kind, i, 4), name) for i in range(40) for name in findings(kind)]
        assert told.count(True) > 20
        assert told.count(False) > 100
        assert told.count(None) < 0.1 * len(told)
