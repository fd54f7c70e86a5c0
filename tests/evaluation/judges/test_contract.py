"""What holds for every judge: one judgement a row, in order, scores or a failure, the same each time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from types import ModuleType

import pytest
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.evaluation.judges import Asked, Judgement
from mht.generation import Reply, Request

NAMES = catalog.names("evaluation.judges")
ROWS = (
    Asked(
        "a",
        "Is there a pleural effusion?",
        "Yes, on the left.",
        "Yes, there is an effusion.",
        "Left effusion.",
    ),
    Asked("b", "Is there a pleural effusion?", "No, there is none.", "Yes, there is an effusion."),
    Asked("c", "Is there a pleural effusion?", "", "Yes, there is an effusion."),
    Asked("d", "Is there a pleural effusion?", "No, there is none.", ""),
    Asked("e", "\ud800", "Ja \u202e \x00 " * 3000, "no " * 50_000, "\n"),
)


@pytest.fixture(params=NAMES)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return catalog.load("evaluation.judges", request.param)


def replied(request: Request) -> Reply:
    """As a model that finds a right answer where answer and reference begin with the same word."""
    data = json.loads(request.prompt.split("BEGIN DATA ")[1].splitlines()[1])
    same = data["answer"][:2] == data["reference"][:2]
    scales = [name for name in (request.schema or {})["required"] if name != "reason"]
    points = dict.fromkeys(scales, 9 if same else 2)
    return Reply(request.request_id, json.dumps({"reason": "so it is"} | points))


def judged(module: ModuleType, rows: Sequence[Asked]) -> list[Judgement]:
    params = module.Params()
    if not hasattr(module, "ask"):
        found: list[Judgement] = module.Judge(params).judge(rows)
        return found
    return [
        module.read(row, [replied(one) for one in module.ask(row, None, params, 5)], params) for row in rows
    ]


def test_params_are_frozen_and_closed(module: ModuleType) -> None:
    assert issubclass(module.Params, BaseModel)
    with pytest.raises(ValidationError):
        module.Params(no_such_key=1)
    assert module.Params.model_config["frozen"]


def test_every_row_is_judged_in_order(module: ModuleType) -> None:
    found = judged(module, ROWS)
    assert len(found) == len(ROWS)
    assert found[0].scores is not None
    assert (found[2].scores, found[2].failure) == (None, "no_truth")
    assert judged(module, []) == []


def test_a_row_is_judged_alike_beside_any_other(module: ModuleType) -> None:
    alone = [judged(module, [row])[0] for row in reversed(ROWS)]
    assert judged(module, ROWS) == alone[::-1]


def test_a_contradiction_scores_less(module: ModuleType) -> None:
    agreed, denied, *_ = judged(module, ROWS)
    assert all(a > b for a, b in zip(agreed.scores or (), denied.scores or (), strict=True))


def test_the_identity_follows_the_params(module: ModuleType) -> None:
    params = module.Params()
    other = params.model_copy(update={"max_chars": 500})
    assert module.identity(params) == module.identity(module.Params())
    assert module.identity(params) != module.identity(other)
    assert json.loads(json.dumps(module.identity(params))) == module.identity(params)
