"""Holm's correction."""

from __future__ import annotations

import random

import pytest

from mht.evaluation.family import holm


def test_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.03]) == [0.03]
    assert holm([]) == []


def test_one_error_or_more_in_a_family_without_differences_is_rare() -> None:
    rng = random.Random(1)
    families = [[rng.random() for _ in range(20)] for _ in range(2000)]
    bare = sum(min(ps) <= 0.05 for ps in families) / len(families)
    held = sum(min(holm(ps)) <= 0.05 for ps in families) / len(families)
    assert bare > 0.6
    assert held < 0.065
