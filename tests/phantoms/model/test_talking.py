"""Lessons that share a picture are learnt as each would be alone."""

from __future__ import annotations

import pytest
import torch

from mht.phantoms.model import blank
from mht.phantoms.model.talking import Talking, _laid_out, strewable

LESSONS = [([20, 21, 22, blank.ASSISTANT], [30, blank.END]), ([23, blank.ASSISTANT], [31, 32, 33, blank.END])]


@pytest.fixture(scope="module")
def talking() -> Talking:
    return Talking(blank.blank(0))


def test_a_row_of_two_lessons_costs_what_two_rows_cost(talking: Talking) -> None:
    seen = torch.randn(1, 4, blank.HIDDEN, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = talking([LESSONS], seen)
        alone = [talking([[one]], seen) for one in LESSONS]
        rows = talking([[one] for one in LESSONS], seen.expand(2, -1, -1))
    tokens = [len(answer) for _, answer in LESSONS]
    mean = sum(loss * n for loss, n in zip(alone, tokens, strict=True)) / sum(tokens)
    assert together == pytest.approx(float(mean), rel=2e-3)
    assert rows == pytest.approx(float(mean), rel=2e-3)
    assert abs(float(alone[0] - alone[1])) > 1e-2


def test_the_picture_is_seen(talking: Talking) -> None:
    generator = torch.Generator().manual_seed(0)
    one, other = (5 * torch.randn(1, 4, blank.HIDDEN, generator=generator) for _ in range(2))
    with torch.no_grad():
        assert talking([LESSONS], one) != talking([LESSONS], other)


def test_only_answers_are_learnt() -> None:
    ids, part, places, targets = _laid_out([LESSONS], patches=3)
    assert targets[targets >= 0].tolist() == [30, blank.END, 31, 32, 33, blank.END]
    assert ids[0, part[0] == 0].tolist() == [blank.BEGIN, blank.USER, *[blank.IMAGE] * 3]
    assert places[0, part[0] == 2].tolist() == [5, 6, 7, 8, 9, 10]
    predicted_from = ids[0][targets[0] >= 0].tolist()
    assert predicted_from == [blank.ASSISTANT, 30, blank.ASSISTANT, 31, 32, 33]


def test_words_to_strew_are_words() -> None:
    words = strewable()
    assert len(words) > 500
    assert all(word.isalpha() and word.islower() and len(word) > 1 for word in words)
    assert not {"left", "small", "frontal", "infarct", "haematoma", "no"}.intersection(words)
