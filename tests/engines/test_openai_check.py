"""What the openai engine says before anything is asked."""

import json

import pytest
from pydantic import ValidationError

from mht.engines.openai import Engine, Params, check, identity
from mht.errors import ConfigError
from mht.generation import Request
from tests.engines.asking import ask, engine_at
from tests.engines.scripted_endpoint import refused_url, scripted_endpoint

JPEG = b"\xff\xd8\xff\xe0 a picture"
KEY = "sk-canary-0123456789"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


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


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", refused_url())
    with scripted_endpoint() as endpoint:
        assert ask(endpoint.base_url, "fine")[0].text == "reply to fine"
