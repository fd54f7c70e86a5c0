"""The next token: the likeliest, or a draw of the row's own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
import torch

from mht.engines._draws import NOT_FINITE, Draws
from mht.generation import Request

LOGITS = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.3]))


def request(temperature: float = 1.0, top_p: float = 1.0, seed: int = 0) -> Request:
    return Request("r", "", temperature=temperature, top_p=top_p, seed=seed)


def shares(asked: Request, n: int = 4000) -> dict[int, float]:
    draws = Draws([asked])
    counted = Counter(draws.choose(LOGITS[None])[0] for _ in range(n))
    return {token: counted[token] / n for token in sorted(counted)}


def test_at_temperature_zero_the_likeliest_is_taken() -> None:
    assert shares(request(0.0), 50) == {1: 1.0}


@pytest.mark.parametrize(
    ("temperature", "top_p", "wanted"),
    [
        (1.0, 1.0, {0: 0.1, 1: 0.4, 2: 0.2, 3: 0.3}),
        (0.5, 1.0, {0: 1 / 30, 1: 16 / 30, 2: 4 / 30, 3: 9 / 30}),
        (1.0, 0.75, {1: 4 / 9, 2: 2 / 9, 3: 3 / 9}),
        (1.0, 0.65, {1: 4 / 7, 3: 3 / 7}),
        (1.0, 0.01, {1: 1.0}),
        (1.0, 0.0, {1: 1.0}),
    ],
)
def test_draws_follow_the_probabilities(temperature: float, top_p: float, wanted: dict[int, float]) -> None:
    assert shares(request(temperature, top_p)) == pytest.approx(wanted, abs=0.03)


def sequence(asked: Sequence[Request], row: int, n: int = 30) -> list[int]:
    draws = Draws(asked)
    return [draws.choose(LOGITS.expand(len(asked), -1))[row] for _ in range(n)]


def test_a_row_draws_the_same_in_any_company() -> None:
    one = request(seed=5)
    company = [request(0.0), request(seed=6), one, request(0.7, 0.5)]
    assert sequence(company, 2) == sequence([one], 0) != sequence(company, 1)


def test_rows_that_stay_go_on_with_their_own_draws() -> None:
    asked = [request(seed=i) for i in range(4)]
    draws = Draws(asked)
    draws.choose(LOGITS.expand(4, -1))
    draws.keep([3, 1])
    after = draws.choose(LOGITS.expand(2, -1))
    assert after == [sequence(asked, 3)[1], sequence(asked, 1)[1]]


@pytest.mark.parametrize("wrong", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_row_that_is_not_finite_is_marked_and_no_other(wrong: float, temperature: float) -> None:
    logits = LOGITS.expand(2, -1).clone()
    logits[0, 2] = wrong
    assert Draws([request(temperature), request(0.0)]).choose(logits) == [NOT_FINITE, 1]
