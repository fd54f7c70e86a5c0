"""Two workers in shards, packed, equal one with every exchange in a row of its own: in loss and whole gradient."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mht.model.certificate import TOLERANCE
from tests.model.conftest import EYES, TEXT, Family
from tests.model.parity_ranks import Apart, families
from tests.model.processes import in_ranks

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def ranks(family: Callable[[str], Family]) -> list[dict[str, dict[str, Apart]]]:
    return in_ranks(2, families, {name: family(name).folder for name in (*EYES, *TEXT)})


@pytest.mark.parametrize("name", [*EYES, *TEXT])
def test_two_ranks_packed_equal_one_with_separate_rows(
    ranks: list[dict[str, dict[str, Apart]]], name: str
) -> None:
    for found in ranks:
        loss, gradient = found[name]["every rank alike"]
        assert loss <= TOLERANCE
        assert gradient <= TOLERANCE


@pytest.mark.parametrize("name", EYES)
def test_a_rank_may_have_a_pass_without_an_image(ranks: list[dict[str, dict[str, Apart]]], name: str) -> None:
    for found in ranks:
        loss, gradient = found[name]["one rank without an image"]
        assert loss <= TOLERANCE
        assert gradient <= TOLERANCE
