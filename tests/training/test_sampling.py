"""Weights as counts: expected numbers, twins drawn together, names that are not known."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from mht.training.sampling import SamplingParams, Weights, expected, times


def params(together: bool = True, seed: int = 1, **weights: dict[str, float]) -> SamplingParams:
    return SamplingParams(weights=Weights(**weights), twins_together=together, seed=seed)


def pairs(n: int) -> Iterator[dict[str, Any]]:
    """n twins: the odd ones of high risk, every third one of laterality."""
    for number in range(n):
        for state in ("faithful", "hallucinated"):
            yield {
                "pair_id": f"{number}{state[0]}",
                "image_id": f"{number // 4}",
                "twin_id": f"{number:x}",
                "state": state,
                "type": "laterality" if number % 3 == 0 else "existence",
                "risk": "high" if number % 2 else "low",
            }


def test_without_weights_each_pair_once() -> None:
    assert {times(pair, SamplingParams(), epoch) for pair in pairs(50) for epoch in (0, 1)} == {1}


@pytest.mark.parametrize("weight", [0.0, 0.3, 1.0, 1.5, 2.0, 3.75])
@pytest.mark.parametrize("together", [True, False])
def test_the_number_of_times_is_the_weight_in_the_mean(weight: float, together: bool) -> None:
    given = params(together, state={"faithful": weight, "hallucinated": weight})
    counts = [times(pair, given, epoch) for pair in pairs(1000) for epoch in range(2)]
    assert abs(sum(counts) / len(counts) - weight) < 0.04
    assert set(counts) <= {int(weight), int(weight) + 1}
    assert {times(pair, given, None) for pair in pairs(9)} == {math.ceil(weight)}, "at most, in any epoch"
    assert abs(sum(count > 0 for count in counts) / len(counts) - expected(weight)) < 0.04


def test_weights_are_multiplied() -> None:
    given = params(type={"laterality": 2}, risk={"high": 3}, state={"faithful": 0.5})
    by_kind: dict[tuple[str, str, str], list[int]] = {}
    for pair in pairs(900):
        kind = (pair["state"], pair["type"], pair["risk"])
        by_kind.setdefault(kind, []).append(times(pair, given, 0))
    means = {kind: sum(counts) / len(counts) for kind, counts in by_kind.items()}
    assert means["hallucinated", "laterality", "high"] == 6
    assert means["hallucinated", "existence", "low"] == 1
    assert means["faithful", "laterality", "high"] == 3
    assert abs(means["faithful", "existence", "high"] - 1.5) < 0.1
    assert abs(means["faithful", "existence", "low"] - 0.5) < 0.1


def test_twins_share_the_draw_unless_told_otherwise() -> None:
    def differ(together: bool) -> int:
        given = params(together, type={"laterality": 0.5, "existence": 1.5})
        counts: dict[str, list[int]] = {}
        for pair in pairs(300):
            counts.setdefault(pair["twin_id"], []).append(times(pair, given, 0))
        return sum(one != other for one, other in counts.values())

    assert differ(True) == 0
    assert 100 < differ(False) < 200


def test_a_twin_of_more_weight_is_drawn_whenever_the_other_is() -> None:
    given = params(state={"faithful": 0.3, "hallucinated": 0.6})
    counts: dict[str, list[int]] = {}
    for pair in pairs(300):
        counts.setdefault(pair["twin_id"], []).append(times(pair, given, 0))
    assert Counter(map(tuple, counts.values())).keys() == {(0, 0), (0, 1), (1, 1)}


def test_epoch_and_seed_draw_anew_and_the_same_ones_the_same() -> None:
    def drawn(seed: int, epoch: int) -> list[int]:
        given = params(seed=seed, state={"faithful": 0.5})
        return [times(pair, given, epoch) for pair in pairs(64)]

    assert drawn(1, 0) == drawn(1, 0)
    assert drawn(1, 0) != drawn(1, 1)
    assert drawn(1, 0) != drawn(2, 0)


@pytest.mark.parametrize(
    ("by", "name", "near"),
    [
        ("state", "halucinated", "hallucinated"),
        ("type", "lateralty", "laterality"),
        ("risk", "critcal", "critical"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(by: str, name: str, near: str) -> None:
    with pytest.raises(ValidationError, match=f"did you mean '{near}'"):
        Weights.model_validate({by: {name: 2.0}})


@pytest.mark.parametrize("weight", [-1, float("nan"), float("inf"), 101, "much"])
def test_a_weight_is_a_number_from_0_to_100(weight: object) -> None:
    with pytest.raises(ValidationError, match=r"state\.faithful"):
        Weights.model_validate({"state": {"faithful": weight}})


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="form"):
        Weights.model_validate({"form": {"yes_no": 1}})
