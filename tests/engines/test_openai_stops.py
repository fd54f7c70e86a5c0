"""What ends a run of the openai engine, and what is kept then."""

import pickle
from collections.abc import Iterator

import pytest

from mht.errors import BudgetSpent, ConfigError, EngineDenied
from mht.generation import Failure, Request
from tests.engines.asking import ask, engine_at
from tests.engines.fake_time import FakeTime
from tests.engines.scripted_endpoint import (
    Endpoint,
    scripted_endpoint,
)

KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with scripted_endpoint() as running:
        yield running


@pytest.mark.parametrize(
    ("turn", "remedy"),
    [
        ("error_401", "MY_KEY"),
        ("error_403", "MY_KEY"),
        ("error_404", "model"),
        ("error_402", "credit"),
        ("no_quota", "credit"),
        ("in_200_401", "MY_KEY"),
        ("in_200_404", "model"),
        ("in_200_402", "credit"),
        ("in_200_no_quota", "credit"),
    ],
)
def test_who_is_denied_stops_at_once(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, turn: str, remedy: str
) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    fake = FakeTime()
    prompts = ["fine", turn, *(f"{turn} {i}" for i in range(200))]
    with pytest.raises(EngineDenied) as caught:
        ask(endpoint.base_url, *prompts, fake=fake, api_key_env="MY_KEY", concurrency=2)
    assert caught.value.exit_code == 77
    assert remedy in str(caught.value)
    assert not any(word in str(caught.value) for word in (KEY, "sk-", "JANE"))
    assert len(endpoint.calls) <= 4
    assert fake.slept == []


def test_who_cannot_be_trusted_is_not_asked_again(endpoint: Endpoint) -> None:
    """The server speaks no TLS; a certificate that nobody vouches for ends the same way."""
    with pytest.raises(EngineDenied, match="SSL_CERT_FILE"):
        ask(endpoint.base_url.replace("http:", "https:"), "a", "b")
    assert endpoint.calls == []


def test_a_way_of_asking_that_is_never_taken_stops_the_run(endpoint: Endpoint) -> None:
    with pytest.raises(EngineDenied, match="unsupported_parameter seed: it took none of the first 20 calls"):
        ask(endpoint.base_url, *(f"error_400 {i}" for i in range(200)), concurrency=1)
    assert len(endpoint.calls) == 20
    with pytest.raises(EngineDenied, match="not JSON: it took none of the first 20 calls; check base_url"):
        ask(endpoint.base_url, *(f"html {i}" for i in range(200)))
    replies = ask(endpoint.base_url, "fine", *(f"error_400 {i}" for i in range(40)), concurrency=1)
    assert [reply.failure for reply in replies] == [None] + [Failure.NOT_ACCEPTED] * 40


@pytest.mark.parametrize("concurrency", [1, 4])
def test_the_budget_of_calls_is_kept_and_what_was_paid_for_is_handed_over(
    endpoint: Endpoint, concurrency: int
) -> None:
    prompts = [f"error_500 fine {i}" for i in range(20)]
    with engine_at(endpoint.base_url, max_calls=10, concurrency=concurrency) as engine:
        requests = [Request(f"r{i}", prompt) for i, prompt in enumerate(prompts)]
        with pytest.raises(BudgetSpent, match="max_calls = 10") as caught:
            engine.generate(requests)
        assert len(endpoint.calls) == engine.ledger.calls == 10
        finished = 10 - engine.ledger.failed
        assert [reply.text for reply in caught.value.replies] == [f"reply to {p}" for p in prompts[:finished]]
        assert caught.value.exit_code == 5
        with pytest.raises(BudgetSpent):
            engine.generate(requests[:1])
        assert engine.generate([]) == []
    assert len(endpoint.calls) == 10
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.replies) == (str(caught.value), caught.value.replies)


def test_the_budget_of_tokens_ends_after_what_is_in_flight(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url, max_tokens=60, concurrency=2, price_in=2, price_out=10) as engine:
        with pytest.raises(BudgetSpent, match="max_tokens = 60"):
            engine.generate([Request(f"r{i}", f"fine {i}") for i in range(9)])
        ledger = engine.ledger
    assert 60 <= ledger.prompt_tokens + ledger.tokens <= 60 + 2 * 25
    assert ledger.money == pytest.approx((ledger.prompt_tokens * 2 + ledger.tokens * 10) / 1e6)


def test_tokens_of_a_reply_that_was_broken_off_are_paid_too(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url, max_tokens=60) as engine:
        [reply] = engine.generate([Request("a", "broken_off fine")])
        assert (reply.prompt_tokens, reply.tokens, reply.calls) == (20, 5, 2)
        ledger = engine.ledger
        assert (ledger.calls, ledger.failed, ledger.prompt_tokens, ledger.tokens) == (2, 1, 40, 10)
        with pytest.raises(BudgetSpent, match="max_tokens = 60"):
            engine.generate([Request("b", "broken_off broken_off fine")])
    assert len(endpoint.calls) == 3


def test_a_budget_that_cannot_be_measured_is_said_to_be_one(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigError, match="max_calls"):
        ask(endpoint.base_url, "uncounted", max_tokens=60)


def test_the_ledger_adds_up(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url) as engine:
        engine.generate(
            [Request("a", "error_500 fine"), Request("b", "wrong_envelope"), Request("c", "length")]
        )
        engine.generate([Request("d", "fine")])
        ledger = engine.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens, ledger.tokens, ledger.money) == (
        5,
        3,
        60,
        15,
        None,
    )
