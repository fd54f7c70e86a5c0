"""Pictures stand beside neighbours that lack something, and the labels say what and where."""

from __future__ import annotations

import numpy as np

from mht.phantoms.model.pictures import FINDINGS, draw

PAIRS, SIDE_PX, PATCH_PX = 10, 64, 16


def test_a_neighbour_lacks_something_and_is_the_same_elsewhere() -> None:
    drawn = draw(PAIRS, 3, SIDE_PX, PATCH_PX, workers=1)
    assert drawn.pixels.shape == (2 * PAIRS, SIDE_PX, SIDE_PX)
    assert drawn.where.shape == (2 * PAIRS, len(FINDINGS), (SIDE_PX // PATCH_PX) ** 2)
    for i in range(0, 2 * PAIRS, 2):
        one, other = drawn.scenes[i], drawn.scenes[i + 1]
        assert set(other.present) <= set(one.present)
        gone = {e.finding for e in one.present} - {e.finding for e in other.present}
        assert bool(gone) == bool(one.present)
        assert gone <= set(other.absent)
        assert (drawn.pixels[i] != drawn.pixels[i + 1]).any() == bool(gone)


def test_labels_say_what_is_there_and_where() -> None:
    drawn = draw(PAIRS, 3, SIDE_PX, PATCH_PX, workers=1)
    for row, scene in enumerate(drawn.scenes):
        there = {FINDINGS[k] for k in np.flatnonzero(drawn.told[row, :, 0])}
        assert there == {entity.finding for entity in scene.present}
        assert {FINDINGS[k] for k in np.flatnonzero(drawn.where[row].any(1))} == there
        for entity in scene.present:
            left, right = drawn.told[row, FINDINGS.index(entity.finding), 1:3]
            assert (bool(left), bool(right)) == {
                "left": (True, False), "right": (False, True), "bilateral": (True, True), None: (False, False),
            }[entity.side]  # fmt: skip


def test_the_pictures_do_not_depend_on_the_number_of_workers() -> None:
    one, two = (draw(4, 5, SIDE_PX, PATCH_PX, workers) for workers in (1, 2))
    assert (one.pixels == two.pixels).all()
    assert one.scenes == two.scenes
