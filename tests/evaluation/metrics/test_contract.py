"""Every metric keeps the family's promises, whatever file is put into the folder."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from dataclasses import replace
from types import ModuleType

import pytest
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.predictions import Measured, Prediction, Score, score
from tests.evaluation.metrics.settings import params
from tests.evaluation.rows import choices, failed, predictions

FAMILY = "evaluation.metrics"
NAMES = catalog.names(FAMILY)
# A paper with its number, or with the place and year where it has none.
SOURCE = re.compile(r"arXiv \d{4}\.\d{4,5}|\b(?:ACL|WMT|AAAI|NeurIPS|JMLR|MWR) (?:19|20)\d\d")


@pytest.fixture(params=NAMES)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return catalog.load(FAMILY, request.param)


def measured(module: ModuleType, rows: Sequence[Prediction]) -> tuple[Measured, ...]:
    found: tuple[Measured, ...] = module.measure(rows, params(module.__name__.rpartition(".")[2]))
    return found


def rows_of(module: ModuleType) -> Sequence[Prediction]:
    """Few for what a network computes; questions with options for what reads those."""
    if module.__name__.endswith(".choice"):
        return choices()
    return predictions(2)[:60] if one_of_a_model(module.__name__) else predictions()


def one_of_a_model(name: str) -> bool:
    """Whether a network computes it, in single precision and in batches."""
    return "bertscore" in name


def scores(module: ModuleType, rows: Sequence[Prediction]) -> dict[str, Score]:
    return {one.name: score(one) for one in measured(module, rows)}


def test_figures_are_named_after_the_file(module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2]
    names = [one.name for one in measured(module, rows_of(module))]
    assert all(other == name or other.startswith(f"{name}.") for other in names)
    assert len(set(names)) == len(names)


def test_the_docstring_says_what_it_counts_where_it_is_from_and_what_is_missing(module: ModuleType) -> None:
    text = str(module.__doc__)
    assert SOURCE.search(text)
    assert "n = 0" in text
    assert re.search(r"(?i)(higher|lower)\s+is\s+(better|safer)|neither\s+is\s+better|nearer\s+to", text)


def test_params_are_frozen_and_know_their_keys(module: ModuleType) -> None:
    assert issubclass(module.Params, BaseModel)
    settings = params(module.__name__.rpartition(".")[2])
    with pytest.raises(ValidationError):
        module.Params(**settings.model_dump(), no_such_key=1)
    for name in module.Params.model_fields:
        with pytest.raises(ValidationError):
            setattr(settings, name, getattr(settings, name))
    assert hash(settings) == hash(module.Params(**settings.model_dump()))


def test_no_rows_have_no_value(module: ModuleType) -> None:
    found = scores(module, [])
    assert found
    assert all((s.value, s.n, s.n_asked) == (None, 0, 0) for s in found.values())


def test_rows_that_failed_are_asked_and_have_no_value(module: ModuleType) -> None:
    found = scores(module, failed(rows_of(module)))
    for name, one in found.items():
        assert (one.value, one.n) == (None, 0), name
        assert one.n_asked > 0
        assert sum(count for _, count in one.unscored) == one.n_asked


def test_a_figure_says_how_many_it_is_of(module: ModuleType) -> None:
    for one in scores(module, rows_of(module)).values():
        assert 0 < one.n <= one.n_asked <= len(rows_of(module))
        assert one.n + sum(count for _, count in one.unscored) == one.n_asked
        assert one.value is not None
        assert math.isfinite(one.value)


def test_it_is_measured_the_same_again_and_in_any_order(module: ModuleType) -> None:
    rows = list(rows_of(module))
    first = scores(module, rows)
    assert scores(module, rows) == first
    random.Random(1).shuffle(rows)
    for name, other in scores(module, rows).items():
        assert other.value == pytest.approx(first[name].value, rel=1e-6 if one_of_a_model(name) else 1e-12)
        assert (other.n, other.n_asked, other.unscored) == (
            first[name].n,
            first[name].n_asked,
            first[name].unscored,
        )


def test_a_unit_is_of_one_cluster_and_has_its_own_key(module: ModuleType) -> None:
    clusters = {row.cluster for row in rows_of(module)}
    for one in measured(module, rows_of(module)):
        assert len({unit.key for unit in one.units}) == len(one.units)
        assert {unit.cluster for unit in one.units} <= clusters
        assert all((unit.parts is None) != (unit.unscored is None) for unit in one.units)
        assert len({len(unit.parts) for unit in one.units if unit.parts is not None}) == 1


def test_rows_that_nothing_is_asked_of_leave_no_unit(module: ModuleType) -> None:
    """A bare row without reference, state or likelihood is not counted against anyone, or is counted as unscored."""
    row = Prediction("b", "1", "i", "What is this?", "", "x")
    for one in scores(module, [row]).values():
        assert one.n + sum(count for _, count in one.unscored) == one.n_asked <= 1


def test_reasoning_before_an_answer_changes_no_figure(module: ModuleType) -> None:
    rows = rows_of(module)[:24]
    aloud = [
        row if row.reply is None else replace(row, reply=f"<think>No, B or C, a dog.</think>{row.reply}")
        for row in rows
    ]
    assert scores(module, aloud) == scores(module, rows)
