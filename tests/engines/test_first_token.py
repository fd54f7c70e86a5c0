"""Answers compared by an endpoint's own words on how likely its first token was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest

from mht.engines._first_token import shares
from mht.engines.openai import Params, identity
from mht.generation import Heard, Request
from tests.engines.asking import engine_at
from tests.engines.scripted_endpoint import LIKELY, scripted_endpoint

YES = math.exp(LIKELY["Yes"]) + math.exp(LIKELY[" yes"])
NO = math.exp(LIKELY["No"])


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def told(likely: Mapping[str, float]) -> dict[str, Any]:
    tokens = [{"token": token, "logprob": math.log(of)} for token, of in likely.items()]
    return {"choices": [{"logprobs": {"content": [{"top_logprobs": tokens}]}}]}


def test_spellings_add_up_and_what_is_not_told_is_as_likely_as_the_last() -> None:
    assert shares(told({"Yes": 0.5, " yes": 0.1, "NO": 0.2}), ("Yes", "No")) == pytest.approx((0.75, 0.25))
    assert shares(told({"Yes": 0.6, "The": 0.2, "A": 0.1}), ("Yes", "No")) == pytest.approx((6 / 7, 1 / 7))
    assert shares(told({"The": 0.6, "A": 0.1}), ("Yes", "No")) == ()
    # The article is no letter.
    assert shares(told({"a": 0.5, "A": 0.3, " B": 0.1}), ("A", "B")) == pytest.approx((0.75, 0.25))


@pytest.mark.parametrize(
    "odd",
    [
        None, [], {}, {"choices": []}, {"choices": [{}]}, {"choices": [{"logprobs": None}]},
        {"choices": [{"logprobs": {"content": []}}]},
        {"choices": [{"logprobs": {"content": [{"top_logprobs": None}]}}]},
        {"choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "Yes"}]}]}}]},
        {"choices": [{"logprobs": {"content": [{"top_logprobs": [{"token": "Yes", "logprob": "much"}]}]}}]},
        {"choices": [{"logprobs": {"content": [{"top_logprobs": []}]}}]},
    ],
)  # fmt: skip
def test_where_an_endpoint_tells_none_there_are_none(odd: object) -> None:
    assert shares(odd, ("Yes", "No")) == ()


def test_replies_come_with_their_shares_as_they_are_heard() -> None:
    heard: list[Heard] = []
    with scripted_endpoint() as endpoint, engine_at(endpoint.base_url, top_logprobs=4) as engine:
        ask: Any = engine.generate_weighed
        replies, found = ask(
            [Request("a", "likely"), Request("b", "error_503 fine")], ("Yes", "No"), heard.append
        )
        assert replies[0].text == "Yes, there is."
        assert found[0] == pytest.approx((YES / (YES + NO), NO / (YES + NO)))
        assert found[1] == ()
        # Nothing is still to come: what was paid for is kept at once.
        assert all(reply.shares is not None for one in heard for reply in one.ready)
        assert endpoint.calls[0]["top_logprobs"] == 4
        # Without anything to compare nothing is asked for.
        engine.generate([Request("c", "likely")])
        assert "logprobs" not in endpoint.calls[-1]


def test_an_endpoint_that_is_asked_for_none_cannot_compare() -> None:
    with scripted_endpoint() as endpoint, engine_at(endpoint.base_url) as engine:
        assert engine.generate_weighed is None
    plain = Params(model="m", base_url="http://127.0.0.1:8000/v1")
    assert "top_logprobs" not in identity(plain)
    assert identity(plain.model_copy(update={"top_logprobs": 5}))["top_logprobs"] == 5
