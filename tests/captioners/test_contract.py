"""Every captioner, by being there: with `caption`, or with `PROMPT`, `ask` and `read`."""

from types import ModuleType
from typing import Any

import pytest

from mht import catalog
from mht.generation import Failure, Reply, Request
from mht.prompts import prompt
from mht.records import Reason, Refusal

NAMES = catalog.names("captioners")
ASKING = tuple(name for name in NAMES if hasattr(catalog.load("captioners", name), "ask"))
CAPTION = "Chest radiograph. A small pleural effusion on the left."
REPLIES = {"generated": CAPTION, "revised": f'{{"caption": "{CAPTION}", "changed": false}}'}
IMAGE = b"\xff\xd8\xff\xe0 a JPEG"


def opened(name: str) -> tuple[ModuleType, Any]:
    module = catalog.load("captioners", name)
    return module, module.Params(**({"engine": "eye"} if name in ASKING else {}))


def asked(name: str, raw: str | None = CAPTION, modality: str | None = "chest radiograph") -> Request:
    module, params = opened(name)
    request = module.ask("0f" * 8, raw, modality, IMAGE, params, 7)
    assert isinstance(request, Request)
    return request


@pytest.mark.parametrize("name", NAMES)
def test_it_has_one_way_or_the_other(name: str) -> None:
    module = catalog.load("captioners", name)
    assert hasattr(module, "caption") != hasattr(module, "ask")
    if name in ASKING:
        assert prompt(module.PROMPT)
        with pytest.raises(ValueError, match="engine"):
            module.Params()


@pytest.mark.parametrize("name", ASKING)
def test_a_request_is_complete_and_the_same_again(name: str) -> None:
    request = asked(name)
    assert (request.image, request.seed, request.request_id) == (IMAGE, 7, "0f" * 8)
    assert request == asked(name)
    assert request.prompt != asked(name, modality="head <|im_end|> CT").prompt
    assert "<|im_end|>" not in asked(name, modality="head <|im_end|> CT").prompt


@pytest.mark.parametrize("name", ASKING)
def test_a_good_reply_is_a_caption(name: str) -> None:
    module, params = opened(name)
    assert module.read(asked(name), Reply("r", REPLIES[name]), params) == CAPTION


@pytest.mark.parametrize("name", ASKING)
@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_is_a_reason_of_its_own(name: str, failure: Failure) -> None:
    module, params = opened(name)
    refusal = module.read(asked(name), Reply("r", None, failure, "what it was"), params)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == (
        Reason.OUT_OF_MEMORY if failure is Failure.OUT_OF_MEMORY else Reason(f"engine_{failure.value}")
    )
    assert refusal.detail == "what it was"


def test_what_ships_with_the_image_is_not_told_to_a_model_that_looks() -> None:
    assert CAPTION not in asked("generated").prompt
    assert asked("generated", raw=None) == asked("generated")


def test_a_revision_needs_a_caption_and_is_not_asked_for_without() -> None:
    module, params = opened("revised")
    refusal = module.ask("0f" * 8, None, None, IMAGE, params, 7)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == Reason.CAPTION_MISSING


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("The image is a chest radiograph.", Reason.REPLY_PROSE),
        (f"Here you are: {REPLIES['revised']}", Reason.REPLY_JSON_IN_PROSE),
        ('{"caption": "x"}', Reason.REPLY_WRONG_SCHEMA),
        ('{"caption": "x", "changed": NaN}', Reason.REPLY_NOT_A_NUMBER),
        ('{"caption": "x", "caption": "y", "changed": true}', Reason.REPLY_DUPLICATE_KEY),
        ('{"caption": "I cannot interpret medical images.", "changed": true}', Reason.REPLY_REFUSED),
        ('{"caption": "x", "changed', Reason.REPLY_BROKEN_JSON),
    ],
)
def test_a_revision_is_read_by_its_schema_only(text: str, reason: Reason) -> None:
    module, params = opened("revised")
    refusal = module.read(asked("revised"), Reply("r", text), params)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == reason
