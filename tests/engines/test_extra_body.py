"""Requests as an endpoint wants them: what is left out of a call, and what is sent beside it."""

import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mht import config, config_evaluate
from mht.engines.openai import Params, identity
from mht.errors import ConfigError
from mht.evaluation.identity import model_of
from mht.generation import Request
from tests.engines.asking import engine_at
from tests.engines.scripted_endpoint import scripted_endpoint

MORE: dict[str, Any] = {"reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": False}}
OURS = (
    "model", "messages", "max_tokens", "max_completion_tokens", "temperature", "top_p", "seed", "response_format",
    "stream", "n", "logprobs", "top_logprobs",
)  # fmt: skip
URL = "http://127.0.0.1:8000/v1"


@pytest.fixture(autouse=True)
def _no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def sent(**settings: Any) -> dict[str, Any]:
    """What a call holds beside model and messages."""
    with scripted_endpoint() as endpoint, engine_at(endpoint.base_url, **settings) as engine:
        engine.generate([Request("a", "p", max_tokens=9, temperature=0.5, top_p=0.9, seed=3)])
        [call] = endpoint.calls
    return {name: value for name, value in call.items() if name not in ("model", "messages")}


def made(**settings: Any) -> Params:
    return Params(model="m", base_url=URL, **settings)


def test_what_an_endpoint_refuses_is_left_out_and_nothing_else() -> None:
    whole = {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, "seed": 3}
    assert sent() == whole
    for name in ("temperature", "top_p", "seed"):
        assert sent(omit=[name]) == {key: value for key, value in whole.items() if key != name}
    bound = {"omit": ["temperature", "top_p", "seed"], "token_bound": "max_completion_tokens"}
    assert sent(**bound) == {"max_completion_tokens": 9}


@pytest.mark.parametrize("name", ["max_tokens", "messages", "sed"])
def test_what_a_call_cannot_do_without_is_not_left_out(name: str) -> None:
    with pytest.raises(ValidationError, match=r"omit\.0\s.*'temperature', 'top_p' or 'seed'"):
        made(omit=[name])


def test_what_an_endpoint_wants_more_is_sent_as_it_is() -> None:
    assert sent(extra_body=MORE, omit=["seed"]) == {"max_tokens": 9, "temperature": 0.5, "top_p": 0.9, **MORE}
    assert sent(extra_body={"reasoning_effort": None})["reasoning_effort"] is None


@pytest.mark.parametrize("name", OURS)
def test_what_we_set_is_not_set_beside_it(name: str) -> None:
    """Not even where it is left out: a run says in one place how it draws."""
    with pytest.raises(ValidationError, match=rf"extra_body\s.*{name} cannot be set here.*Take it out"):
        made(extra_body={"user": "me", name: 1}, omit=["temperature", "top_p", "seed"])


@pytest.mark.parametrize("value", [float("nan"), [{"a": float("inf")}], {"a": b"bytes"}, {1: 2}, object()])
def test_what_is_no_json_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="extra_body"):
        made(extra_body={"user": value})


def test_both_stand_in_the_identity_where_they_are_given() -> None:
    plain = made()
    assert identity(plain).keys() == {"model", "revision", "json_schema", "image_detail"}
    named = [identity(one) for one in (
        plain, made(omit=["seed"]), made(omit=["top_p"]), made(extra_body=MORE), made(extra_body={"effort": 1}),
        made(extra_body={"effort": True}),
    )]  # fmt: skip
    assert len({repr(one) for one in named}) == len(named)
    assert identity(made(omit=["seed", "top_p"])) == identity(made(omit=["top_p", "seed", "seed"]))
    assert identity(made(extra_body=MORE))["extra_body"] == MORE


def test_settings_stay_frozen_hashable_and_whole_on_the_way_to_a_worker() -> None:
    one = made(omit=["seed"], extra_body=MORE)
    assert hash(one) == hash(made(omit=["seed"], extra_body=dict(reversed(MORE.items()))))
    assert one != made(omit=["seed"])
    assert {made(): "plain", one: "more"}[made(omit=["seed"], extra_body=MORE)] == "more"
    assert Params(**one.model_dump(mode="json")) == one
    assert pickle.loads(pickle.dumps(one)) == one
    with pytest.raises(ValidationError, match="frozen"):
        one.extra_body.root = {}


def test_they_are_read_from_a_file_and_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "build.yaml"
    file.write_text(
        f"engines:\n  m:\n    kind: openai\n    model: m\n    base_url: {URL}\n    omit: [seed]\n"
        "    extra_body:\n      chat_template_kwargs: {enable_thinking: false}\n"
    )
    read = config.load(str(file))
    assert read.engines["m"].params() == made(
        omit=["seed"], extra_body={"chat_template_kwargs": {"enable_thinking": False}}
    )
    words = ["engines.m.omit=[top_p]", "engines.m.extra_body.reasoning_effort=low"]
    assert config.load(str(file), words).engines["m"].params() == made(omit=["top_p"], extra_body=MORE)
    whole = ["engines.m.extra_body.chat_template_kwargs={enable_thinking: true}"]
    assert config.load(str(file), whole).resolved()["engines"]["m"]["extra_body"] == {
        "chat_template_kwargs": {"enable_thinking": True}
    }
    file.write_text(file.read_text() + "      seed: 3\n")
    with pytest.raises(
        ConfigError, match=r"build\.yaml:7: engines\.m\.extra_body: .*seed cannot be set here"
    ):
        config.load(str(file))


def test_an_evaluation_is_another_run_with_them() -> None:
    words = ["model.kind=openai", "model.model=m", f"model.base_url={URL}", "benchmarks.t.kind=table"]
    words += ["benchmarks.t.path=t.csv"]
    plain = model_of(config_evaluate.load(None, words), None)
    for more in ("model.omit=[seed]", "model.extra_body.reasoning_effort=low"):
        assert model_of(config_evaluate.load(None, [*words, more]), None) != plain
