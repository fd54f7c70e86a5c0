"""Scenes: drawn from the index alone, varied, and plausible as a whole."""

from collections import Counter

import pytest

from mht.errors import ConfigError
from mht.phantoms.scene import KINDS, REFERENCE_PX, Scene, draw_scene, findings, scaled_box, unit_box

COUNT = 2000
SIDES = {
    "chest_xray": {"left", "right", "bilateral", None},
    "head_ct": {"left", "right", "bilateral", None},
    "blood_smear": {None},
    "fundus": {"left", "right"},
}
SEVERITIES = {
    "chest_xray": {"small", "moderate", "large", "mild", "severe", None},
    "head_ct": {"small", "moderate", "large", "mild", "severe", None},
    "blood_smear": {"mild", "moderate", "severe", None},
    "fundus": {"mild", "moderate", "severe", None},
}


@pytest.fixture(scope="module")
def scenes() -> dict[str, list[Scene]]:
    return {kind: [draw_scene(kind, index, 7) for index in range(COUNT)] for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_a_scene_depends_on_kind_index_and_seed_alone(kind: str) -> None:
    assert draw_scene(kind, 5, 1) == draw_scene(kind, 5, 1)
    assert len({repr(draw_scene(kind, index, seed)) for index in range(5) for seed in range(5)}) == 25


@pytest.mark.parametrize("kind", KINDS)
def test_everything_appears(kind: str, scenes: dict[str, list[Scene]]) -> None:
    entities = [entity for scene in scenes[kind] for entity in scene.present]
    assert {entity.finding for entity in entities} == set(findings(kind))
    assert {entity.side for entity in entities} == SIDES[kind]
    assert {entity.severity for entity in entities} == SEVERITIES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_is_not_called_absent(kind: str, scenes: dict[str, list[Scene]]) -> None:
    for scene in scenes[kind]:
        names = [entity.finding for entity in scene.present]
        assert len(names) == len(set(names))
        assert not set(names) & set(scene.absent)
        assert set(scene.absent) <= set(findings(kind))
        assert len(names) + len(scene.absent) >= 3


@pytest.mark.parametrize("kind", KINDS)
def test_boxes_lie_in_the_frame(kind: str, scenes: dict[str, list[Scene]]) -> None:
    for scene in scenes[kind]:
        for entity in scene.present:
            if entity.box is not None:
                x0, y0, x1, y1 = entity.box
                assert 0 <= x0 < x1 <= REFERENCE_PX, entity
                assert 0 <= y0 < y1 <= REFERENCE_PX, entity


@pytest.mark.parametrize("kind", ["chest_xray", "head_ct", "fundus"])
def test_normals_are_common_and_findings_skewed(kind: str, scenes: dict[str, list[Scene]]) -> None:
    normal = sum(not scene.present for scene in scenes[kind])
    assert 0.1 < normal / COUNT < 0.4
    often = Counter(entity.finding for scene in scenes[kind] for entity in scene.present).most_common()
    assert often[0][1] > 4 * often[-1][1]


def test_the_midline_moves_away_from_the_larger_half(scenes: dict[str, list[Scene]]) -> None:
    seen = 0
    for scene in scenes["head_ct"]:
        shift = next((entity for entity in scene.present if entity.finding == "midline shift"), None)
        if shift is not None:
            seen += 1
            assert shift.side != scene.present[0].side
            assert shift.size_mm is not None
            assert 3 <= shift.size_mm <= 14
    assert seen > 50


def test_effusion_brings_atelectasis(scenes: dict[str, list[Scene]]) -> None:
    def share(having: bool) -> float:
        chosen = [{e.finding for e in s.present} for s in scenes["chest_xray"]]
        chosen = [names for names in chosen if ("pleural effusion" in names) is having]
        return sum("atelectasis" in names for names in chosen) / len(chosen)

    assert share(True) > 2 * share(False)


@pytest.mark.parametrize("kind", ["x-ray", "scene", "", "chest_xray.content"])
def test_an_unknown_kind_is_named_with_those_there_are(kind: str) -> None:
    with pytest.raises(ConfigError, match="chest_xray, head_ct"):
        draw_scene(kind, 0, 0)


def test_a_box_scales_with_the_picture() -> None:
    assert scaled_box((0, 128, 256, 512), 1024) == (0, 256, 512, 1024)
    assert unit_box(-0.1, 0.5, 0.25, 1.2) == (0, 256, 129, 512)
