"""What the openai engine sends, and how each request ends."""

import gc
import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mht.generation import TRANSIENT, Failure, Heard, Reply, Request
from tests.engines.asking import ask, engine_at
from tests.engines.fake_time import FakeTime
from tests.engines.scripted_endpoint import (
    Endpoint,
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


def test_a_request_may_take_what_was_said_up_to_the_bound_for_a_reply(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url) as engine:
        [cut, filtered] = engine.generate([
            Request("a", "length", cut_ok=True), Request("b", "content_filter", cut_ok=True)
        ])  # fmt: skip
    assert (cut.text, cut.failure) == ("The left lung sh", None)
    assert "raise max_tokens" in cut.detail
    assert (filtered.text, filtered.failure) == (None, Failure.FILTERED)


def test_what_an_error_broke_off_is_not_what_was_said_up_to_the_bound(endpoint: Endpoint) -> None:
    with engine_at(endpoint.base_url) as engine:
        [again] = engine.generate([Request("a", "broken_off fine", cut_ok=True)])
    assert (again.text, again.calls) == ("reply to broken_off fine", 2)


def test_parts_of_text_are_one_text_and_an_error_that_names_none_spoils_no_reply(endpoint: Endpoint) -> None:
    replies = ask(endpoint.base_url, "parts_content", "beside_nothing")
    assert [(reply.text, reply.failure, reply.calls) for reply in replies] == [("a reply", None, 1)] * 2


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
    "no_choices": (Failure.NO_CHOICES, 3),
    "no_choices fine": (None, 2),
    "broken_off": (Failure.SERVER_ERROR, 3),
    "broken_off fine": (None, 2),
    "bare_broken_off": (Failure.SERVER_ERROR, 3),
    "beside_502 fine": (None, 2),
    "in_200_502": (Failure.SERVER_ERROR, 3),
    "in_200_502 fine": (None, 2),
    "in_200_429": (Failure.RATE_LIMITED, 3),
    "in_200_429 fine": (None, 2),
    "in_200_400": (Failure.NOT_ACCEPTED, 1),
    "in_200_too_long": (Failure.PROMPT_TOO_LONG, 1),
    "in_200_word": (Failure.NOT_A_COMPLETION, 1),
    "in_200_no_status": (Failure.NOT_A_COMPLETION, 1),
    "in_200_text": (Failure.NOT_A_COMPLETION, 1),
    "null_content": (Failure.EMPTY_REPLY, 1),
    "blank_content": (Failure.EMPTY_REPLY, 1),
    "length": (Failure.CUT_SHORT, 1),
    "content_filter": (Failure.FILTERED, 1),
    "refusal": (Failure.FILTERED, 1),
    "filtered_400": (Failure.FILTERED, 1),
    "html": (Failure.NOT_A_COMPLETION, 3),
    "html fine": (None, 2),
    "broken_json": (Failure.NOT_A_COMPLETION, 3),
    "broken_json fine": (None, 2),
    "deep_json": (Failure.NOT_A_COMPLETION, 1),
    "wrong_envelope": (Failure.NOT_A_COMPLETION, 1),
    "no_message": (Failure.NOT_A_COMPLETION, 1),
    "other_parts": (Failure.EMPTY_REPLY, 1),
    "no_parts": (Failure.NOT_A_COMPLETION, 1),
    "odd_parts": (Failure.NOT_A_COMPLETION, 1),
    "surrogate": (Failure.NOT_A_COMPLETION, 1),
    "bomb": (Failure.NOT_A_COMPLETION, 3),
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
    under_200 = ("in_200_400", "in_200_word", "in_200_text", "in_200_502", "in_200_too_long")
    replies = ask(endpoint.base_url, *turns, *under_200)
    assert replies[0].detail == "status 400 some_error unsupported_parameter seed"
    assert [reply.detail for reply in replies[len(turns) :]][:4] == [
        "status 200 with error 400 some_error seed",
        "status 200 with an error without a status some_error something_went_wrong",
        "status 200 with an error without a status",
        "status 200 with error 502 some_error",
    ]
    said = " ".join(reply.detail for reply in replies)
    assert not any(word in said for word in ("JANE", "sk-", "hospital", "maximum", "42", "xxx"))


def test_whoever_listens_hears_of_each_reply_and_of_each_failed_try(endpoint: Endpoint) -> None:
    heard: list[Heard] = []
    with engine_at(endpoint.base_url, concurrency=1) as engine:
        engine.generate([Request("a", "error_500 fine"), Request("b", "fine")], tell=heard.append)
    assert [(one.replies, one.tokens, one.waiting) for one in heard] == [(0, 0, 2), (1, 5, 1), (1, 5, 0)]
    assert sorted(reply.request_id for one in heard for reply in one.ready) == ["a", "b"]


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
    good = ["fine", "length", "wrong_envelope", "in_200_400", "error_400", "refusal", "megabyte"]
    bad = ["error_500", "error_503", "rate_limited", "rate_limited_date", "reset", "cut", "error_408"]
    bad += ["no_choices", "broken_off", "in_200_502"]
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


def test_searches_for_garbage_are_rare_while_it_asks_and_then_as_before() -> None:
    before, seen = gc.get_threshold(), list[int]()
    with scripted_endpoint() as endpoint, engine_at(endpoint.base_url) as engine:
        engine.generate([Request("a", "fine")], lambda _: seen.append(gc.get_threshold()[0]))
        assert seen == [10_000]
        assert gc.get_threshold() == before
        gc.set_threshold(0, *before[1:])
        try:
            engine.generate([Request("b", "fine")], lambda _: seen.append(gc.get_threshold()[0]))
        finally:
            gc.set_threshold(*before)
        assert seen == [10_000, 0]
