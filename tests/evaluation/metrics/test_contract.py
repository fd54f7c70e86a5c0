"""Every metric keeps the family's promises, whatever file is put into the folder."""

from __future__ import annotations

import math
import random
import re
from collections.abc import Sequence
from types import ModuleType

import pytest
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.predictions import Measured, Prediction, Score, score
from tests.evaluation.rows import failed, predictions

FAMILY = "evaluation.metrics"
NAMES = catalog.names(FAMILY)
# A paper with its number, or with the place and year where it has none.
SOURCE = re.compile(r"arXiv \d{4}\.\d{4,5}|\b(?:ACL|WMT|AAAI|NeurIPS|JMLR|MWR) (?:19|20)\d\d")


@pytest.fixture(params=NAMES)
def module(request: pytest.FixtureRequest) -> ModuleType:
    return catalog.load(FAMILY, request.param)


def measured(module: ModuleType, rows: Sequence[Prediction]) -> tuple[Measured, ...]:
    found: tuple[Measured, ...] = module.measure(rows, module.Params())
    return found


def scores(module: ModuleType, rows: Sequence[Prediction]) -> dict[str, Score]:
    return {one.name: score(one) for one in measured(module, rows)}


def test_the_first_figure_is_named_like_the_file_and_the_others_after_it(module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2]
    first, *others = [one.name for one in measured(module, predictions())]
    assert first == name
    assert all(other.startswith(f"{name}.") for other in others)
    assert len({first, *others}) == len(others) + 1


def test_the_docstring_says_what_it_counts_where_it_is_from_and_what_is_missing(module: ModuleType) -> None:
    text = str(module.__doc__)
    assert SOURCE.search(text)
    assert "n = 0" in text
    assert re.search(r"(?i)(higher|lower)\s+is\s+(better|safer)|neither\s+is\s+better|nearer\s+to", text)


def test_params_are_frozen_and_know_their_keys(module: ModuleType) -> None:
    assert issubclass(module.Params, BaseModel)
    params = module.Params()
    with pytest.raises(ValidationError):
        module.Params(no_such_key=1)
    for name in module.Params.model_fields:
        with pytest.raises(ValidationError):
            setattr(params, name, getattr(params, name))
    assert hash(params) == hash(module.Params())


def test_no_rows_have_no_value(module: ModuleType) -> None:
    found = scores(module, [])
    assert found
    assert all((s.value, s.n, s.n_asked) == (None, 0, 0) for s in found.values())


def test_rows_that_failed_are_asked_and_have_no_value(module: ModuleType) -> None:
    found = scores(module, failed(predictions()))
    for name, one in found.items():
        assert (one.value, one.n) == (None, 0), name
        assert one.n_asked > 0
        assert sum(count for _, count in one.unscored) == one.n_asked


def test_a_figure_says_how_many_it_is_of(module: ModuleType) -> None:
    for one in scores(module, predictions()).values():
        assert 0 < one.n <= one.n_asked <= len(predictions())
        assert one.n + sum(count for _, count in one.unscored) == one.n_asked
        assert one.value is not None
        assert math.isfinite(one.value)


def test_it_is_measured_the_same_again_and_in_any_order(module: ModuleType) -> None:
    rows = list(predictions())
    first = scores(module, rows)
    assert scores(module, rows) == first
    random.Random(1).shuffle(rows)
    for name, other in scores(module, rows).items():
        assert other.value == pytest.approx(first[name].value, rel=1e-12)
        assert (other.n, other.n_asked, other.unscored) == (
            first[name].n,
            first[name].n_asked,
            first[name].unscored,
        )


def test_a_unit_is_of_one_cluster_and_has_its_own_key(module: ModuleType) -> None:
    clusters = {row.cluster for row in predictions()}
    for one in measured(module, predictions()):
        assert len({unit.key for unit in one.units}) == len(one.units)
        assert {unit.cluster for unit in one.units} <= clusters
        assert all((unit.parts is None) != (unit.unscored is None) for unit in one.units)
        assert len({len(unit.parts) for unit in one.units if unit.parts is not None}) == 1


def test_rows_that_nothing_is_asked_of_leave_no_unit(module: ModuleType) -> None:
    """A bare row without reference, state or likelihood is not counted against anyone, or is counted as unscored."""
    row = Prediction("b", "1", "i", "What is this?", "", "x")
    for one in scores(module, [row]).values():
        assert one.n + sum(count for _, count in one.unscored) == one.n_asked <= 1
