import asyncio
import json
import pickle
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from mht.engines._answers import retry_after_s
from mht.engines.openai import Engine, Params, check, identity
from mht.errors import BudgetSpent, ConfigError, EngineDenied, EngineOutage
from mht.generation import TRANSIENT, Failure, Heard, Reply, Request
from tests.engines.fake_time import FakeTime
from tests.engines.scripted_endpoint import (
    RETRY_AFTER_S,
    RETRY_DATE_S,
    Endpoint,
    refused_url,
    scripted_endpoint,
)

JPEG, PNG = b"\xff\xd8\xff\xe0 a picture", b"\x89PNG\r\n\x1a\n a picture"
KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with scripted_endpoint() as running:
        yield running


def engine_at(url: str, fake: FakeTime | None = None, **settings: Any) -> Engine:
    fake = fake or FakeTime()
    params = Params(model="m", base_url=url, **{"read_timeout_s": 5, "total_timeout_s": 10, **settings})
    return Engine(params, clock=fake.clock, sleep=fake.sleep, rng=random.Random(1))


def ask(url: str, *prompts: str, fake: FakeTime | None = None, **settings: Any) -> list[Reply]:
    with engine_at(url, fake, **settings) as engine:
        return engine.generate([Request(f"r{i}", prompt) for i, prompt in enumerate(prompts)])


# -- what is sent


def test_a_request_is_sent_as_chat_messages_with_its_image_and_its_settings(endpoint: Endpoint) -> None:
    schema = {"type": "object", "properties": {}}
    draw = {"max_tokens": 17, "temperature": 0.5, "top_p": 0.9, "seed": 3}
    request = Request("a", "what is it?", system="be brief", image=JPEG, schema=schema, **draw)
    with engine_at(endpoint.base_url, image_detail="high") as engine:
        [reply] = engine.generate([request])
    assert reply == Reply("a", "reply to what is it?", prompt_tokens=20, tokens=5, calls=1)
    [call] = endpoint.calls
    assert call == {
        "model": "m",
        "messages": [
            {"role": "system", "content": "be brief"},
            {
                "role": "user",
                "content": [
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/jpeg;base64,/9j/4CBhIHBpY3R1cmU=", "detail": "high"},
                    },
                    {"type": "text", "text": "what is it?"},
                ],
            },
        ],
        **draw,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": schema},
        },
    }
    assert "Authorization" not in endpoint.headers[0]
    assert endpoint.headers[0]["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(("how", "sent"), [("object", {"type": "json_object"}), ("none", None)])
def test_a_schema_is_passed_on_as_the_endpoint_takes_it(endpoint: Endpoint, how: str, sent: object) -> None:
    with engine_at(endpoint.base_url, json_schema=how, token_bound="max_completion_tokens") as engine:
        engine.generate([Request("a", "p", image=PNG, schema={"type": "object"}, max_tokens=9)])
    [call] = endpoint.calls
    assert call.get("response_format") == sent
    assert (call["max_completion_tokens"], "max_tokens" in call) == (9, False)
    assert call["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")


def test_the_key_goes_into_the_header(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    ask(endpoint.base_url, "fine", api_key_env="MY_KEY")
    assert endpoint.headers[0]["Authorization"] == f"Bearer {KEY}"


def test_what_is_no_image_is_not_sent(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url) as engine:
        replies = engine.generate([Request("a", "p", image=b"GIF89a"), Request("b", "p", image=PNG)])
    assert [(reply.failure, reply.calls) for reply in replies] == [(Failure.NOT_ACCEPTED, 0), (None, 1)]
    assert len(endpoint.calls) == 1


# -- how each request ends


ENDS = {
    "fine": (None, 1),
    "rate_limited fine": (None, 2),
    "rate_limited_date fine": (None, 2),
    "rate_limited_bare fine": (None, 2),
    "busy fine": (None, 2),
    "error_500 fine": (None, 2),
    "error_502 fine": (None, 2),
    "error_503 error_503 fine": (None, 3),
    "error_504 fine": (None, 2),
    "error_408 fine": (None, 2),
    "reset fine": (None, 2),
    "cut fine": (None, 2),
    "silence fine": (None, 2),
    "slow_drip fine": (None, 2),
    "rate_limited": (Failure.RATE_LIMITED, 3),
    "error_500": (Failure.SERVER_ERROR, 3),
    "error_503": (Failure.SERVER_ERROR, 3),
    "error_408": (Failure.TIMEOUT, 3),
    "reset": (Failure.CONNECTION, 3),
    "cut": (Failure.CONNECTION, 3),
    "silence": (Failure.TIMEOUT, 3),
    "slow_drip": (Failure.TIMEOUT, 3),
    "reset error_500 silence": (Failure.TIMEOUT, 3),
    "no_choices": (Failure.EMPTY_REPLY, 1),
    "null_content": (Failure.EMPTY_REPLY, 1),
    "blank_content": (Failure.EMPTY_REPLY, 1),
    "length": (Failure.CUT_SHORT, 1),
    "content_filter": (Failure.FILTERED, 1),
    "refusal": (Failure.FILTERED, 1),
    "html": (Failure.NOT_A_COMPLETION, 1),
    "broken_json": (Failure.NOT_A_COMPLETION, 1),
    "deep_json": (Failure.NOT_A_COMPLETION, 1),
    "wrong_envelope": (Failure.NOT_A_COMPLETION, 1),
    "no_message": (Failure.NOT_A_COMPLETION, 1),
    "parts_content": (Failure.NOT_A_COMPLETION, 1),
    "surrogate": (Failure.NOT_A_COMPLETION, 1),
    "bomb": (Failure.NOT_A_COMPLETION, 1),
    "megabyte": (Failure.REPLY_TOO_LARGE, 1),
    "claims_5_gib": (Failure.REPLY_TOO_LARGE, 1),
    "endless": (Failure.REPLY_TOO_LARGE, 1),
    "error_400": (Failure.NOT_ACCEPTED, 1),
    "error_413": (Failure.NOT_ACCEPTED, 1),
    "too_long": (Failure.PROMPT_TOO_LONG, 1),
    "redirect": (Failure.NOT_ACCEPTED, 1),
}


@pytest.mark.parametrize("turns", ENDS)
def test_each_way_of_an_endpoint_ends_as_a_reply_or_its_named_failure(endpoint: Endpoint, turns: str) -> None:
    [reply] = ask(endpoint.base_url, turns, max_tries=3, read_timeout_s=0.2, total_timeout_s=0.5)
    failure, calls = ENDS[turns]
    assert (reply.failure, reply.calls, len(endpoint.calls)) == (failure, calls, calls)
    assert reply.text == (f"reply to {turns}" if failure is None else None)
    assert bool(reply.detail) == (failure is not None)


def test_tokens_are_counted_where_the_endpoint_counts_them(endpoint: Endpoint) -> None:
    replies = ask(endpoint.base_url, "fine", "uncounted", "odd_usage", "length", "error_503 fine")
    counts = [(reply.prompt_tokens, reply.tokens) for reply in replies]
    assert counts == [(20, 5), (0, 0), (0, 0), (20, 5), (20, 5)]


def test_no_more_of_a_huge_reply_is_read_than_allowed(endpoint: Endpoint) -> None:
    ask(endpoint.base_url, "endless", max_reply_bytes=100_000)
    assert endpoint.bytes_sent < 500 * 65536  # half of what it would send; the sockets hold some megabytes


def test_no_redirect_is_followed(endpoint: Endpoint) -> None:
    [reply] = ask(endpoint.base_url, "redirect")
    assert "base_url" in reply.detail
    assert endpoint.asked["elsewhere"] == 0


def test_details_give_short_codes_and_nothing_that_the_endpoint_wrote(endpoint: Endpoint) -> None:
    turns = ("error_400", "too_long", "refusal", "html", "error_413", "redirect", "told_400")
    replies = ask(endpoint.base_url, *turns)
    assert replies[0].detail == "status 400 some_error unsupported_parameter seed"
    said = " ".join(reply.detail for reply in replies)
    assert not any(word in said for word in ("JANE", "sk-", "hospital", "maximum", "42", "xxx"))


# -- waiting


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
        before = len(endpoint.calls)
        await asyncio.sleep(0.1)
        during.append(len(endpoint.calls) - before)
        await fake.sleep(seconds)

    params = Params(model="m", base_url=endpoint.base_url, concurrency=2)
    with Engine(params, clock=fake.clock, sleep=slow_sleep, rng=random.Random(1)) as engine:
        replies = engine.generate(
            [Request(f"r{i}", f"fine {i}" if i else "rate_limited fine") for i in range(300)]
        )
    assert all(reply.text for reply in replies)
    assert max(during) <= 2  # those on their way when it said so


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


# -- whose fault a failure is


def test_an_outage_costs_no_request(endpoint: Endpoint) -> None:
    """Many more failures than tries, and all at once: it is the endpoint, and everybody waits for it."""
    prompts = ["error_503 " * 6 + f"fine {i}" for i in range(5)]
    replies = ask(endpoint.base_url, *prompts, max_tries=2, outage_limit_s=1000)
    assert [reply.failure for reply in replies] == [None] * 5
    assert [reply.calls for reply in replies] == [7] * 5


@pytest.mark.parametrize("concurrency", [1, 3])
@pytest.mark.parametrize("ill", ["error_500", "reset", "rate_limited"])
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
    prompts = [f"error_503 fine {i}" for i in range(60)]
    replies = ask(endpoint.base_url, *prompts, fake=fake, concurrency=1, outage_limit_s=5)
    assert all(reply.text for reply in replies)
    assert fake.now_s - 1000 > 2 * 5


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


# -- the end of the run


@pytest.mark.parametrize(
    ("turn", "remedy"),
    [
        ("error_401", "MY_KEY"),
        ("error_403", "MY_KEY"),
        ("error_404", "model"),
        ("error_402", "credit"),
        ("no_quota", "credit"),
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


def test_a_budget_that_cannot_be_measured_is_said_to_be_one(endpoint: Endpoint) -> None:
    with pytest.raises(ConfigError, match="max_calls"):
        ask(endpoint.base_url, "uncounted", max_tokens=60)


def test_the_ledger_adds_up(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url) as engine:
        engine.generate([Request("a", "error_500 fine"), Request("b", "html"), Request("c", "length")])
        engine.generate([Request("d", "fine")])
        ledger = engine.ledger
    assert (ledger.calls, ledger.failed, ledger.prompt_tokens, ledger.tokens, ledger.money) == (
        5,
        3,
        60,
        15,
        None,
    )


# -- signs of life, and the end


def test_whoever_listens_hears_of_each_reply_and_of_each_failed_try(endpoint: Endpoint) -> None:
    heard: list[Heard] = []
    with engine_at(endpoint.base_url, concurrency=1) as engine:
        engine.generate([Request("a", "error_500 fine"), Request("b", "fine")], tell=heard.append)
    assert heard == [Heard(0, 0, 2), Heard(1, 5, 1), Heard(1, 5, 0)]


def test_what_a_listener_raises_ends_the_call_and_the_engine_can_be_used_again(endpoint: Endpoint) -> None:
    def stop(heard: Heard) -> None:
        raise KeyError("stop")

    with engine_at(endpoint.base_url, read_timeout_s=30, total_timeout_s=30) as engine:
        began = time.monotonic()
        with pytest.raises(KeyError):
            engine.generate([Request(f"r{i}", "silence" if i else "fine") for i in range(4)], tell=stop)
        assert time.monotonic() - began < 10  # nobody waits for the other three
        assert engine.generate([Request("z", "fine")])[0].text == "reply to fine"
        engine.close()
        engine.close()


@st.composite
def scripts(draw: st.DrawFn) -> list[str]:
    good = ["fine", "length", "html", "no_choices", "error_400", "refusal", "megabyte"]
    bad = ["error_500", "error_503", "rate_limited", "rate_limited_date", "reset", "cut", "error_408"]
    one = st.tuples(st.lists(st.sampled_from(bad), max_size=5), st.sampled_from(good))
    return [
        " ".join([*turns, last, str(i)]) for i, (turns, last) in enumerate(draw(st.lists(one, max_size=12)))
    ]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(scripts(), st.integers(1, 5), st.integers(1, 4))
def test_every_request_ends_in_order_and_every_call_is_counted(
    prompts: list[str], concurrency: int, max_tries: int
) -> None:
    with scripted_endpoint() as endpoint:
        fake = FakeTime()
        settings = {"concurrency": concurrency, "max_tries": max_tries, "outage_limit_s": 1e6}
        with engine_at(endpoint.base_url, fake, **settings) as engine:
            replies = engine.generate([Request(prompt, prompt) for prompt in prompts])
            ledger = engine.ledger
    assert [reply.request_id for reply in replies] == prompts
    assert [reply.calls for reply in replies] == [endpoint.asked[prompt] for prompt in prompts]
    assert ledger.calls == len(endpoint.calls)
    for prompt, reply in zip(prompts, replies, strict=True):
        *bad, last, _ = prompt.split()
        if reply.failure not in TRANSIENT:
            assert (reply.failure, reply.calls) == (ENDS[last][0], len(bad) + 1)
        else:
            assert reply.calls >= max_tries
        assert (reply.text is None) == (reply.failure is not None)


# -- before anything is asked


@pytest.mark.parametrize(
    "url",
    [
        "ftp://127.0.0.1/v1",
        "127.0.0.1:8000/v1",
        "https://",
        "https://user:pw@host/v1",
        "https://host/v1?key=1",
        "https://host/v1#x",
        "http://10.0.0.3:8000/v1",
        "http://localhost.example.org/v1",
        "http://127.1/v1",
        "https://host:99999/v1",
        "https://host:0/v1",
        "https://[::1/v1",
        "https://host/v1/chat/completions",
    ],
)
def test_an_address_of_another_shape_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="base_url") as caught:
        check(Params(model="m", base_url=url, phi_ok=True))
    assert "pw" not in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8000/v1", "http://localhost:8000", "http://[::1]:80/v1/"])
def test_loopback_needs_no_key_and_no_consent(url: str) -> None:
    check(Params(model="m", base_url=url))


def test_off_loopback_consent_and_key_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    away = Params(model="m", base_url="https://api.example.org/v1", api_key_env="MY_KEY")
    allowed = away.model_copy(update={"phi_ok": True})
    monkeypatch.setenv("MY_KEY", KEY)
    for use in (check, Engine):
        with pytest.raises(ConfigError, match="phi_ok: true"):
            use(away)
    check(allowed)
    monkeypatch.setenv("MY_KEY", f"{KEY}\nX-Evil: 1")
    with pytest.raises(ConfigError, match="MY_KEY") as caught:
        check(allowed)
    assert KEY not in str(caught.value)
    monkeypatch.delenv("MY_KEY")
    with pytest.raises(ConfigError, match="MY_KEY"):
        check(allowed)


def test_the_key_and_the_image_are_in_no_repr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", KEY)
    with engine_at("http://127.0.0.1:1/v1", api_key_env="MY_KEY") as engine:
        shown = " ".join(repr(thing) for thing in (engine, vars(engine), Request("a", "p", image=JPEG)))
    assert KEY not in shown
    assert "picture" not in shown
    with pytest.raises(ValidationError):
        Params(model="m", base_url="http://localhost", api_key=KEY)  # type: ignore[call-arg]


def test_what_decides_the_replies_is_in_the_identity_and_what_does_not_is_not() -> None:
    one = Params(model="m", base_url="http://127.0.0.1:8000/v1")
    other = Params(
        model="m",
        base_url="https://h/v1",
        phi_ok=True,
        concurrency=3,
        max_tries=1,
        api_key_env="K",
        max_calls=5,
    )
    assert identity(one) == identity(other)
    for change in ({"model": "n"}, {"revision": "2"}, {"json_schema": "none"}, {"image_detail": "low"}):
        assert identity(one.model_copy(update=change)) != identity(one)
    json.dumps(identity(one))


def test_a_proxy_in_the_environment_is_not_asked(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", refused_url())
    assert ask(endpoint.base_url, "fine")[0].text == "reply to fine"
