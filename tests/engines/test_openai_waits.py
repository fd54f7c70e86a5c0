"""How the openai engine waits, and whose fault it takes a failure for."""

import asyncio
import random
import time
from collections.abc import Iterator

import pytest

from mht.engines._answers import Answer, retry_after_s
from mht.engines._patience import Patience, Trial
from mht.engines.openai import Engine, Params
from mht.errors import EngineOutage
from mht.generation import Failure, Request
from tests.engines.asking import ask, engine_at
from tests.engines.fake_time import FakeTime
from tests.engines.scripted_endpoint import (
    RETRY_AFTER_S,
    RETRY_DATE_S,
    Endpoint,
    refused_url,
    scripted_endpoint,
)


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with scripted_endpoint() as running:
        yield running


def test_waits_double_and_are_drawn_from_the_whole_of_them(endpoint: Endpoint) -> None:
    fake = FakeTime()
    ask(endpoint.base_url, "error_503 " * 7 + "fine", fake=fake)
    draws = random.Random(1)
    assert fake.slept == [draws.uniform(0, min(20.0, 0.5 * 2**n)) for n in range(7)]


@pytest.mark.parametrize(
    ("turns", "least_s"),
    [
        ("rate_limited fine", RETRY_AFTER_S),
        ("busy fine", RETRY_AFTER_S),
        ("in_200_429 fine", RETRY_AFTER_S),
        ("rate_limited_date fine", RETRY_DATE_S),
    ],
)
def test_the_endpoints_own_time_is_kept_by_all(endpoint: Endpoint, turns: str, least_s: float) -> None:
    fake = FakeTime()
    started = fake.now_s
    ask(endpoint.base_url, turns, "fine", fake=fake, concurrency=1)
    assert least_s <= fake.now_s - started <= least_s * 1.25 + 0.5


def test_nobody_asks_while_the_endpoint_wants_to_be_left_alone(endpoint: Endpoint) -> None:
    fake, during = FakeTime(), list[int]()

    async def slow_sleep(seconds: float) -> None:
        before, now = len(endpoint.calls), fake.now_s
        await asyncio.sleep(0.1)
        if fake.now_s == now:  # else the time to wait went by in another's sleep
            during.append(len(endpoint.calls) - before)
        await fake.sleep(seconds)

    params = Params(model="m", base_url=endpoint.base_url, concurrency=2)
    with Engine(params, clock=fake.clock, sleep=slow_sleep, rng=random.Random(1)) as engine:
        replies = engine.generate(
            [Request(f"r{i}", f"fine {i}" if i else "rate_limited fine") for i in range(300)]
        )
    assert all(reply.text for reply in replies)
    assert during
    assert max(during) <= 4  # those on their way when it said so


def test_a_time_to_wait_is_read_as_seconds_or_as_a_date_and_nothing_else() -> None:
    date, later = "Sun, 09 Sep 2001 01:46:40 GMT", "Sun, 09 Sep 2001 01:46:41 GMT"
    assert retry_after_s({"Retry-After": "3600"}) == 3600
    assert retry_after_s({"Retry-After": "9" * 400}) == 999_999_999
    assert retry_after_s({"Retry-After": later, "Date": date}) == 1
    assert retry_after_s({"Retry-After": date, "Date": later}) == 0
    for bad in (
        {},
        {"Retry-After": "soon"},
        {"Retry-After": "-1"},
        {"Retry-After": "²"},
        {"Retry-After": date},
    ):
        assert retry_after_s(bad) is None


def test_a_time_of_an_hour_is_taken_for_a_minute(endpoint: Endpoint) -> None:
    fake = FakeTime()
    ask(endpoint.base_url, "rate_limited_for_an_hour fine", fake=fake)
    assert 60 <= fake.now_s - 1000 <= 60 * 1.25 + 0.5


def test_many_wait_at_once() -> None:
    prompts = [f"number {i}" for i in range(16)]
    with scripted_endpoint(delay_s=0.1) as endpoint:
        began = time.monotonic()
        ask(endpoint.base_url, *prompts[:4], concurrency=1)
        alone_s = time.monotonic() - began
        assert endpoint.in_flight == 1
        began = time.monotonic()
        replies = ask(endpoint.base_url, *prompts, concurrency=8)
        together_s = time.monotonic() - began
    assert endpoint.in_flight == 8
    assert [reply.text for reply in replies] == [f"reply to {prompt}" for prompt in prompts]
    assert together_s / 16 < alone_s / 4 / 2


def test_an_outage_costs_no_request(endpoint: Endpoint) -> None:
    """Many more failures than tries, and all at once: it is the endpoint, and everybody waits for it."""
    prompts = ["error_503 " * 6 + f"fine {i}" for i in range(5)]
    replies = ask(endpoint.base_url, *prompts, max_tries=2, outage_limit_s=1000)
    assert [reply.failure for reply in replies] == [None] * 5
    assert [reply.calls for reply in replies] == [7] * 5


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize(
    "ill", ["error_500", "reset", "rate_limited", "no_choices", "broken_off", "in_200_502"]
)
def test_a_request_that_fails_alone_is_given_up(endpoint: Endpoint, ill: str, concurrency: int) -> None:
    prompts = ["fine 0", "error_500 fine 1", ill, *(f"fine {i}" for i in range(3, 40))]
    if concurrency == 1:
        prompts.append(prompts.pop(2))  # by itself it is the last, or nobody else could be answered meanwhile
    replies = ask(endpoint.base_url, *prompts, max_tries=3, outage_limit_s=1e6, concurrency=concurrency)
    assert [prompts[i] for i, reply in enumerate(replies) if reply.failure] == [ill]
    assert max(reply.calls for reply in replies) <= 10


def test_one_at_a_time_an_ill_request_ends_at_the_limit_and_the_next_is_asked(endpoint: Endpoint) -> None:
    prompts = ("error_500 fine", "error_500", "fine")
    replies = ask(endpoint.base_url, *prompts, concurrency=1, max_tries=2, outage_limit_s=60)
    assert [reply.failure for reply in replies] == [None, Failure.SERVER_ERROR, None]


def test_failures_with_answers_between_them_are_no_outage(endpoint: Endpoint) -> None:
    fake = FakeTime()
    prompts = [f"error_503 error_503 fine {i}" for i in range(60)]
    replies = ask(endpoint.base_url, *prompts, fake=fake, concurrency=1, outage_limit_s=5)
    assert all(reply.text for reply in replies)
    assert fake.now_s - 1000 > 2 * 5


def test_a_first_failure_while_others_are_answered_is_tried_again_at_once(endpoint: Endpoint) -> None:
    """Not one that says that there were too many, not the second, and not where nobody has been answered yet."""
    slept: dict[str, float] = {}
    for ill in ("error_503", "reset", "rate_limited_bare", "error_503 error_503"):
        fake = FakeTime()
        ask(endpoint.base_url, "fine", f"{ill} fine", fake=fake, concurrency=1)
        slept[ill] = sum(fake.slept)
    assert 0 < slept["error_503"] == slept["reset"] < 0.05 < slept["rate_limited_bare"]
    assert slept["error_503 error_503"] > 0.05
    fake = FakeTime()
    ask(endpoint.base_url, "error_503 fine alone", fake=fake)
    assert sum(fake.slept) > 0.05


def test_a_few_failures_in_a_row_are_chance_and_more_are_an_outage() -> None:
    """With many in flight, two that fail by themselves come side by side now and then."""
    fake = FakeTime()
    patience = Patience("here", 8, 300, fake.clock, fake.sleep, random.Random(1))
    lost = Answer(failure=Failure.CONNECTION, heard=False)
    for _ in range(2):
        patience.answered()
        trials = [Trial() for _ in range(6)]
        assert all(patience.goes_on(trial, lost, alone=False) for trial in trials)
        assert [trial.lone for trial in trials] == [True] * 4 + [False] * 2


def test_an_outage_over_the_limit_ends_the_run_with_what_was_ready(endpoint: Endpoint) -> None:
    fake = FakeTime()
    prompts = ["fine 0", *(f"error_503 {i}" for i in range(3))]
    with pytest.raises(EngineOutage) as caught:
        ask(endpoint.base_url, *prompts, fake=fake, max_tries=2, outage_limit_s=60)
    assert 60 <= fake.now_s - 1000 < 4 * 60
    assert caught.value.exit_code == 75
    assert endpoint.base_url in str(caught.value)
    assert "status 503" in str(caught.value)
    assert [reply.text for reply in caught.value.replies] == ["reply to fine 0"]


@pytest.mark.parametrize(
    ("turn", "told"),
    [
        ("no_choices", "status 200 with a list of no choices"),
        ("broken_off", "status 200 with a reply that an error broke off"),
        ("in_200_502", "status 200 with error 502"),
    ],
)
def test_nothing_but_failures_under_status_200_is_an_outage(endpoint: Endpoint, turn: str, told: str) -> None:
    with pytest.raises(EngineOutage, match=told):
        ask(endpoint.base_url, *(f"{turn} {i}" for i in range(3)), max_tries=2, outage_limit_s=60)


def test_nobody_listening_is_an_outage() -> None:
    fake = FakeTime()
    with pytest.raises(EngineOutage, match="Connection refused"):
        ask(refused_url(), "a", "b", fake=fake, max_tries=2, outage_limit_s=30)
    [reply] = ask(refused_url(), "a", max_tries=2, outage_limit_s=1e6)
    assert (reply.failure, reply.calls) == (Failure.CONNECTION, 2)


def test_an_outage_is_told_over_several_calls_and_idle_time_is_none() -> None:
    fake = FakeTime()
    with engine_at(refused_url(), fake, max_tries=3, outage_limit_s=8) as engine:
        assert engine.generate([Request("a", "p")])[0].failure is Failure.CONNECTION
        fake.now_s += 1e6
        assert engine.generate([Request("b", "p")])[0].failure is Failure.CONNECTION
        with pytest.raises(EngineOutage):
            [engine.generate([Request("c", "p")]) for _ in range(50)]
