"""Two halves of the question templates that share none, and all of them by default."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

from mht import catalog
from mht.pairing.params import PairingParams
from mht.pairing.proposals import FORMS
from mht.pairing.twins import make_pairs
from mht.pairing.wordings import half
from mht.records import Pair
from tests.pairing.corpus import context, phantoms

MODULES: dict[str, ModuleType] = {name: catalog.load(FORMS, name) for name in catalog.names(FORMS)}


def _lists(module: ModuleType) -> Iterator[tuple[str, ...]]:
    """Every list of question templates of a form: those that hold a place for the premise, options or statement."""
    for value in vars(module).values():
        for one in value.values() if isinstance(value, dict) else (value,):
            if isinstance(one, tuple) and all(
                isinstance(t, str) and re.search(r"\{(np|o|s)\}", t) for t in one
            ):
                yield one


@cache
def _pairs(wordings: str) -> tuple[Pair, ...]:
    corpus = [row for _, row in phantoms(25, seed=5)]
    known = context(corpus, wordings=wordings)
    return tuple(pair for name, reading in corpus for pair in make_pairs(name, "train", reading, known).pairs)


def _frame(pair: Pair) -> str:
    """The question without its premise, its options and the image's name: the template, in so many words."""
    text = pair.question.replace(pair.premise, "_")
    text = re.sub(r"A\) .*", "_", text) if pair.form == "multiple_choice" else text
    return re.sub(r"\b(this|the) (image|picture|study|radiograph|CT image|fundus photograph|blood smear)\b", "#",
                  text, flags=re.IGNORECASE)  # fmt: skip


def test_no_template_is_in_both_halves_and_none_is_lost() -> None:
    lists = [one for module in MODULES.values() for one in _lists(module)]
    assert len(lists) >= 15
    first = {t for one in lists for t in half(one, "first")}
    second = {t for one in lists for t in half(one, "second")}
    assert not first & second
    assert first | second == {t for one in lists for t in one}
    assert all(half(one, "first") and half(one, "second") for one in lists)
    assert all(half(one, "all") is one for one in lists)


def test_a_test_set_of_one_half_is_asked_in_words_that_the_other_half_does_not_know() -> None:
    first, second = ({_frame(pair) for pair in _pairs(wordings)} for wordings in ("first", "second"))
    assert min(len(first), len(second)) >= 60
    assert not first & second


def test_a_statement_is_put_in_ten_ways_in_each_half() -> None:
    """With four, a model took the task of the other half that speaks of putting right for a sign that it is wrong."""
    lists = dict(zip(("task", "said"), _lists(MODULES["correct_statement"]), strict=False))
    assert {name: (len(half(one, "first")), len(half(one, "second"))) for name, one in lists.items()} == {
        "task": (10, 10),
        "said": (6, 6),
    }


def test_both_halves_word_every_form() -> None:
    forms = set(MODULES)
    assert {pair.form for pair in _pairs("first")} == {pair.form for pair in _pairs("second")} == forms


def test_all_is_the_default() -> None:
    assert PairingParams().wordings == "all"
    assert {_frame(pair) for pair in _pairs("all")} - {_frame(pair) for pair in _pairs("first")}


@pytest.mark.parametrize("wordings", ["third", ""])
def test_there_are_two_halves(wordings: str) -> None:
    with pytest.raises(ValueError, match="wordings"):
        context([], wordings=wordings)


def test_a_half_changes_the_question_and_nothing_else() -> None:
    first, second = ({pair.pair_id: pair for pair in _pairs(w)} for w in ("first", "second"))
    both = first.keys() & second.keys()
    assert len(both) > 0.8 * len(first)
    for pair_id in both:
        assert first[pair_id].premise == second[pair_id].premise
        assert first[pair_id].answer == second[pair_id].answer
        assert first[pair_id].question != second[pair_id].question
