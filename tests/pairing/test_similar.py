"""What an image was asked before is noticed in another order, another wording and, if wanted, another form."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mht.pairing.similar import asked, repeats
from mht.records import Pair
from tests.checks.test_contract import FAITHFUL


def twin(question: str, true: str, false: str, form: str = "yes_no") -> tuple[Pair, Pair]:
    """Two pairs whose question takes `true` and `false` in turn."""
    one = replace(FAITHFUL, question=question.format(true), premise=true, form=form)
    return one, replace(one, state="hallucinated", question=question.format(false), premise=false)


FIRST = twin("Is there {} on this image?", "a small effusion on the left", "a large effusion on the left")


@pytest.mark.parametrize(
    ("second", "within", "across"),
    [
        (FIRST, "duplicate_pair", "duplicate_pair"),
        (FIRST[::-1], "duplicate_pair", "duplicate_pair"),
        (
            twin("On this image, is there {}?", "a small effusion on the left", "a mass"),
            "duplicate_pair",
            "duplicate_pair",
        ),
        (
            twin("Would you say that you see {}?", "the small left effusion", "the large left effusion"),
            "near_duplicate_pair",
            "near_duplicate_pair",
        ),
        (
            twin(
                "How does {} look?", "the small left effusion", "the large left effusion", "leading_premise"
            ),
            None,
            "near_duplicate_pair",
        ),
        (
            twin("Would you say that you see {}?", "the small left effusion", "the small right effusion"),
            None,
            None,
        ),
        (twin("Do you see {}?", "no effusion on the left", "a large effusion on the left"), None, None),
    ],
)
def test_what_was_asked_before(second: tuple[Pair, Pair], within: str | None, across: str | None) -> None:
    kept = [asked(*FIRST)]
    assert repeats(asked(*second), kept, across_forms=False) == within
    assert repeats(asked(*second), kept, across_forms=True) == across


def test_nothing_repeats_where_nothing_was_kept() -> None:
    assert repeats(asked(*FIRST), [], across_forms=True) is None


def test_a_premise_that_is_not_told_apart_falls_to_the_question() -> None:
    one = tuple(replace(pair, premise="") for pair in FIRST)
    other = tuple(replace(pair, premise="") for pair in twin("Do you see {}?", "a mass", "a nodule"))
    assert repeats(asked(*one), [asked(*other)], across_forms=True) is None
