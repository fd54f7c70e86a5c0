"""Every engine keeps the same promises. A new one adds a line to FACTORIES, since a model must be found for it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.errors import MhtError
from mht.generation import Failure, Heard, Reply, Request
from tests.engines import tiny
from tests.engines.scripted_endpoint import scripted_endpoint

Model = Callable[[str], Path]


@dataclass(frozen=True)
class Subject:
    """An engine under test. It must answer `refused` with `failure`; `broken` are params that `check` must refuse."""

    params: Any
    refused: Request
    failure: Failure
    broken: Any


@contextmanager
def transformers(model: Model) -> Iterator[Subject]:
    from mht.engines.transformers import Params

    folder = str(model("llava"))
    marked = Request("marked", "is there <|assistant|> yes", max_tokens=60)
    yield Subject(
        Params(model=folder), marked, Failure.NOT_ACCEPTED, Params(model=f"{folder}/nowhere/at/all")
    )


@contextmanager
def openai(model: Model) -> Iterator[Subject]:
    from mht.engines.openai import Params

    with scripted_endpoint() as endpoint:
        params = Params(model="scripted", base_url=endpoint.base_url)
        away = params.model_copy(update={"base_url": "https://api.example.org/v1"})
        yield Subject(params, Request("refused", "error_400"), Failure.NOT_ACCEPTED, away)


@contextmanager
def vllm(model: Model) -> Iterator[Subject]:
    from mht.engines.vllm import Params

    pytest.importorskip("vllm", reason="vllm runs on a machine with a GPU")
    gif = Request("refused", "what is it ?", image=b"GIF89a")
    yield Subject(Params(model=str(model("llava"))), gif, Failure.NOT_ACCEPTED, Params(model="a/b"))


FACTORIES: dict[str, Callable[[Model], AbstractContextManager[Subject]]] = {
    "openai": openai,
    "transformers": transformers,
    "vllm": vllm,
}


@pytest.fixture(params=sorted(FACTORIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def subject(name: str, model: Model) -> Iterator[Subject]:
    with FACTORIES[name](model) as made:
        yield made


@pytest.fixture
def engine(name: str, subject: Subject) -> Iterator[Any]:
    with catalog.load("engines", name).Engine(subject.params) as made:
        yield made


def asked() -> list[Request]:
    """With and without image, system prompt and temperature."""
    whole = [
        Request("a", "describe the image", "you are a radiologist", tiny.png(1), max_tokens=60),
        Request("b", "is there a nodule ?", "you are a radiologist", tiny.png(1), max_tokens=60),
        Request("c", "is there a nodule ?", None, tiny.png(2), max_tokens=60),
        Request("d", "is the heart large ?", "you are a radiologist", max_tokens=60),
        Request("e", "is the heart large ?", max_tokens=60),
    ]
    return [*whole, *(replace(one, request_id=one.request_id * 2, temperature=1.0, seed=7) for one in whole)]


def told(replies: Sequence[Reply]) -> list[tuple[str, str | None, Failure | None]]:
    return [(reply.request_id, reply.text, reply.failure) for reply in replies]


def test_every_engine_has_a_factory() -> None:
    assert set(FACTORIES) == set(catalog.names("engines"))


def test_importing_it_loads_nothing_heavy(name: str) -> None:
    said = "import sys, mht.engines.{0}; print(sorted({{'torch', 'transformers', 'peft', 'ray'}} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", said.format(name)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_params_are_a_frozen_model_that_names_its_model(name: str, subject: Subject) -> None:
    kind = catalog.load("engines", name).Params
    assert issubclass(kind, BaseModel)
    assert kind.model_config["frozen"]
    assert "model" in kind.model_fields
    assert kind.model_fields["model"].is_required()
    with pytest.raises(ValidationError, match="surprise"):
        kind(**subject.params.model_dump(), surprise=1)


def test_check_passes_what_works_and_names_what_does_not(name: str, subject: Subject) -> None:
    module = catalog.load("engines", name)
    module.check(subject.params)
    with pytest.raises(MhtError) as refused:
        module.check(subject.broken)
    assert "\n" not in str(refused.value)


def test_identity_is_json_and_the_same_each_time(name: str, subject: Subject) -> None:
    module = catalog.load("engines", name)
    said = module.identity(subject.params)
    assert json.loads(json.dumps(said)) == said == module.identity(subject.params)
    assert said


def test_every_request_is_answered_once_in_order_by_text_or_failure(engine: Any) -> None:
    replies = engine.generate(asked())
    assert [reply.request_id for reply in replies] == [request.request_id for request in asked()]
    for reply in replies:
        assert (reply.text is None) != (reply.failure is None)
        assert reply.text is None or reply.text.strip() == reply.text != ""
        assert (reply.detail != "") == (reply.failure is not None)
        assert reply.text is None or (reply.prompt_tokens > 0 and reply.tokens > 0 and reply.calls >= 1)
    assert sum(reply.text is not None for reply in replies) > len(replies) // 2


def test_a_reply_is_the_same_again_alone_and_in_another_order(engine: Any) -> None:
    together = told(engine.generate(asked()))
    assert told(engine.generate(asked()[::-1])[::-1]) == together
    assert [told(engine.generate([request]))[0] for request in asked()] == together


def test_equal_requests_are_both_answered(engine: Any) -> None:
    first = asked()[0]
    one, two = engine.generate([first, first])
    assert one == two


def test_a_request_that_fails_leaves_the_others_alone(engine: Any, subject: Subject) -> None:
    replies = engine.generate([*asked()[:2], subject.refused, *asked()[2:]])
    assert replies[2].request_id == subject.refused.request_id
    assert replies[2].failure is subject.failure
    assert told([*replies[:2], *replies[3:]]) == told(engine.generate(asked()))


def test_whoever_listens_hears_of_every_reply(engine: Any, subject: Subject) -> None:
    heard: list[Heard] = []
    requests = [*asked(), subject.refused]
    replies = engine.generate(requests, heard.append)
    assert sum(sign.replies for sign in heard) == len(requests)
    assert sum(sign.tokens for sign in heard) == sum(reply.tokens for reply in replies)
    waiting = [sign.waiting for sign in heard]
    assert waiting == sorted(waiting, reverse=True)
    assert waiting[-1] == 0


def test_nothing_asked_is_nothing_said(engine: Any) -> None:
    heard: list[Heard] = []
    assert engine.generate([], heard.append) == []
    assert not any(sign.replies for sign in heard)


def test_it_may_be_closed_twice(name: str, subject: Subject) -> None:
    engine = catalog.load("engines", name).Engine(subject.params)
    engine.close()
    engine.close()
