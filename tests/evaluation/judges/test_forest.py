"""Forests as text: the same after writing and reading, refused where cut short."""

from __future__ import annotations

import pytest

from mht.evaluation.judges._forest import Split, read, write

TREES = (
    Split("size", 2.5, (1.0, 2.0), Split("side", 0.0, (3.0, 4.0), (5.5, 6.0))),
    (7.0, 8.0),
)


def test_a_forest_is_the_mean_of_its_trees_leaves() -> None:
    forest = read(write(TREES, "about\nthese"))
    assert forest.trees == TREES
    assert forest.names == {"size", "side"}
    assert forest.predict({"size": 2.5, "side": 9}) == (4.0, 5.0)
    assert forest.predict({"size": 2.6, "side": 0}) == (5.0, 6.0)
    assert forest.predict({"size": 2.6, "side": 0.1}) == (6.25, 7.0)


def test_the_outer_fifths_of_many_trees_are_left_out_score_by_score() -> None:
    leaves = [(1.0, 10.0), (4.0, 6.0), (5.0, 5.0), (6.0, 4.0), (10.0, 1.0)]
    assert read(write(leaves, "")).predict({}) == (5.0, 5.0)
    assert read(write([*leaves, (90.0, 90.0)], "")).predict({}) == (6.25, 6.25)


def test_what_is_written_can_be_read_by_people() -> None:
    assert write(TREES, "about").splitlines()[:3] == ["# about", "size\t2.5", "=\t1 2"]


def test_a_missing_feature_is_said() -> None:
    with pytest.raises(KeyError, match="side"):
        read(write(TREES, "")).predict({"size": 3})


def test_a_text_cut_short_is_refused() -> None:
    lines = write(TREES[:1], "").splitlines()
    with pytest.raises(ValueError, match="ends below a split on side"):
        read("\n".join(lines[:-1]))
    with pytest.raises(ValueError, match="no tree"):
        read("# nothing\n")
