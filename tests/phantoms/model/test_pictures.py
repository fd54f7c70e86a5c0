"""Labels say what a picture shows and where; a batch is the same wherever it is drawn."""

from __future__ import annotations

import numpy as np

from mht.phantoms.model.pictures import FINDINGS, GRADES, SITES, Frame, draw, drawn, picture

FRAME = Frame(64, 16)
MANY = draw(0, 40, 3, FRAME)


def test_labels_say_what_is_there_and_where() -> None:
    assert MANY.pixels.shape == (40, 64, 64)
    assert MANY.where.shape == (40, len(FINDINGS), 16)
    for row, scene in enumerate(MANY.scenes):
        there = {FINDINGS[k] for k in np.flatnonzero(MANY.told[row, :, 0])}
        assert there == {entity.finding for entity in scene.present}
        assert {FINDINGS[k] for k in np.flatnonzero(MANY.where[row].any(1))} == there
        for entity in scene.present:
            _, left, right, grade, site = MANY.told[row, FINDINGS.index(entity.finding)]
            assert (bool(left), bool(right)) == {
                "left": (True, False), "right": (False, True), "bilateral": (True, True), None: (False, False),
            }[entity.side]  # fmt: skip
            assert grade == (-1 if entity.severity is None else GRADES[entity.severity])
            assert site == (-1 if entity.site is None else SITES.index(entity.site))


def test_a_finding_on_the_left_is_in_patches_on_the_right() -> None:
    columns = np.arange(16) % 4
    seen = 0
    for row, scene in enumerate(MANY.scenes):
        for entity in scene.present:
            if entity.finding == "infarct":
                at = columns[MANY.where[row, FINDINGS.index("infarct")] == 1].mean()
                assert (at > 1.5) == (entity.side == "left")
                seen += 1
    assert seen >= 3


def test_rare_findings_come_oftener_than_in_a_dataset() -> None:
    rare = "skull fracture"
    told = [any(e.finding == rare for e in scene.present) for scene in draw(0, 300, 1, Frame(16, 16)).scenes]
    assert np.mean(told) > 0.06


def test_a_process_beside_draws_the_same_pictures() -> None:
    with drawn(3, 4, 5, FRAME) as batches:
        beside = list(batches)
    here = draw(0, 12, 5, FRAME)
    assert (np.concatenate([one.pixels for one in beside]) == here.pixels).all()
    assert sum((one.scenes for one in beside), ()) == here.scenes
    assert (here.pixels[1] == picture(here.scenes[1], 64)).all()
