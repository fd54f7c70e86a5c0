"""What holds for every judge: one judgement a row, in order, scores or an error, the same each time."""

from __future__ import annotations

from types import ModuleType

import pytest
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.evaluation.judges import Asked, Judgement, Scores

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


def test_params_are_frozen_and_closed(module: ModuleType) -> None:
    assert issubclass(module.Params, BaseModel)
    with pytest.raises(ValidationError):
        module.Params(no_such_key=1)
    assert module.Params.model_config["frozen"]


def test_every_row_is_judged_in_order(module: ModuleType) -> None:
    judged = module.Judge(module.Params()).judge(ROWS)
    assert [one.row_id for one in judged] == [row.row_id for row in ROWS]
    assert judged[0].scores is not None
    assert judged[2].scores is None
    assert module.Judge(module.Params()).judge([]) == []


def test_a_row_is_judged_alike_beside_any_other(module: ModuleType) -> None:
    judge = module.Judge(module.Params())
    alone = [judge.judge([row])[0] for row in reversed(ROWS)]
    assert module.Judge(module.Params()).judge(ROWS) == alone[::-1]


def test_a_contradiction_scores_less(module: ModuleType) -> None:
    agreed, denied, *_ = module.Judge(module.Params()).judge(ROWS)
    assert all(a > b for a, b in zip(agreed.scores.values(), denied.scores.values(), strict=True))


def test_the_identity_follows_the_params(module: ModuleType) -> None:
    assert module.identity(module.Params()) == module.identity(module.Params())


@pytest.mark.parametrize("bad", [0.99, 10.01, float("nan")])
def test_a_score_lies_on_its_scale(bad: float) -> None:
    with pytest.raises(ValueError, match="risk"):
        Scores(5, 5, 5, bad)


def test_a_judgement_has_scores_or_an_error() -> None:
    with pytest.raises(ValueError, match="either scores or"):
        Judgement("a", None)
    with pytest.raises(ValueError, match="either scores or"):
        Judgement("a", Scores(1, 1, 1, 1), "no_truth")
