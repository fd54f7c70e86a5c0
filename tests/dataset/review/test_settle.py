"""Decisions on the pairs of one image: each touches its own row, an edit is checked again, and none is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mht import catalog
from mht.config import load
from mht.dataset.review.decisions import Decision
from mht.dataset.review.settle import settle, twin_of, unmatched
from mht.dataset.stages import pairing_context
from mht.knowledge.facts import read_facts
from mht.pairing.twins import make_pairs, row_hash
from mht.records import Pair

READING = read_facts("Chest radiograph. Small left pleural effusion. No pneumothorax or cardiomegaly.")
CHECKS = tuple((name, catalog.load("checks", name).judge) for name in catalog.names("checks"))
IMAGE = "00000000000000ab"


def made(*settings: str) -> tuple[Pair, ...]:
    given = ["pairing.balance=false", "pairing.pairs_per_image=60", *settings]
    return make_pairs(IMAGE, "train", READING, pairing_context(load(None, given).resolved())).pairs


@pytest.fixture(scope="module")
def pairs() -> tuple[Pair, ...]:
    pairs = made()
    assert len(pairs) >= 8
    return pairs


def about(pair: Pair, verdict: str, **more: Any) -> Decision:
    given = {"pair_id": pair.pair_id, "row_hash": pair.row_hash, "verdict": verdict, **more}
    return Decision.model_validate(given)


def told(pairs: tuple[Pair, ...], *decisions: Decision) -> tuple[list[Pair], list[tuple[str, str | None]]]:
    kept, reviewed = settle(pairs, READING, {d.key: d for d in decisions}, CHECKS)
    return kept, [(one.outcome, one.reason) for one in reviewed]


def polar(pairs: tuple[Pair, ...], polarity: str) -> Pair:
    return next(pair for pair in pairs if pair.polarity == polarity)


def test_without_decisions_nothing_happens(pairs: tuple[Pair, ...]) -> None:
    assert settle(pairs, READING, {}, CHECKS) == (list(pairs), [])


def test_a_rejected_pair_goes_and_its_twin_stays(pairs: tuple[Pair, ...]) -> None:
    gone = pairs[2]
    kept, outcomes = told(pairs, about(gone, "reject"))
    assert kept == [pair for pair in pairs if pair is not gone]
    assert twin_of(gone.pair_id) in {pair.pair_id for pair in kept}
    assert outcomes == [("rejected", None)]


def test_a_decision_on_a_row_that_has_changed_is_stale(pairs: tuple[Pair, ...]) -> None:
    kept, outcomes = told(pairs, about(replace(pairs[0], row_hash="ab"), "reject"))
    assert (kept, outcomes) == (list(pairs), [("stale", None)])


def test_a_decision_on_a_pair_that_is_not_made_is_missing(pairs: tuple[Pair, ...]) -> None:
    lost = about(replace(pairs[0], pair_id=f"{IMAGE}-{'0' * 10}f"), "reject")
    assert told(pairs, lost) == (list(pairs), [("missing", None)])
    (one,) = unmatched({lost.key: lost})
    assert (one.outcome, one.pair_id) == ("missing", lost.pair_id)


def test_an_edited_answer_is_a_new_row(pairs: tuple[Pair, ...]) -> None:
    pair = polar(pairs, "yes")
    answer = pair.answer.rstrip(".") + ", which the image shows."
    kept, outcomes = told(pairs, about(pair, "edit", answer=answer))
    assert outcomes == [("edited", None)]
    (new,) = (one for one in kept if one not in pairs)
    assert new == replace(pair, answer=answer, row_hash=new.row_hash)
    assert new.row_hash == row_hash(new) != pair.row_hash
    assert [one.pair_id for one in kept] == [one.pair_id for one in pairs]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"answer": "No, nothing is seen."}, "answer_contradicts"),
        ({"answer": "Yes,  with two spaces."}, "ill_formed"),
        ({"question": "Is there anything at all?"}, "span_lost"),
        ({"rejected": "No , a space too many."}, "ill_formed"),
    ],
)
def test_a_bad_edit_is_refused_with_its_reason_and_the_pair_left_out(
    change: dict[str, str], reason: str, pairs: tuple[Pair, ...]
) -> None:
    pair = polar(pairs, "yes")
    kept, outcomes = told(pairs, about(pair, "edit", **change))
    assert outcomes == [("edit_refused", reason)]
    assert kept == [one for one in pairs if one is not pair]


def test_an_edited_question_finds_its_span_again(pairs: tuple[Pair, ...]) -> None:
    pair = polar(pairs, "yes")
    question = "Tell me: " + pair.question[0].lower() + pair.question[1:]
    kept, outcomes = told(pairs, about(pair, "edit", question=question))
    assert outcomes == [("edited", None)]
    new = next(one for one in kept if one.pair_id == pair.pair_id)
    assert new.question == question
    assert question[new.span_start : new.span_end] == new.span == pair.span
    assert new.premise == pair.premise


def test_an_edit_that_makes_the_false_premise_true_is_refused() -> None:
    pairs = made("pairing.forms=[yes_no]")
    pair = next(p for p in pairs if p.polarity == "no" and p.type == "existence")
    question = pair.question[: pair.span_start] + "a pleural effusion" + pair.question[pair.span_end :]
    _, outcomes = told(pairs, about(pair, "edit", question=question))
    assert outcomes == [("edit_refused", "premise_true")]


def test_an_edit_that_tears_the_premise_apart_is_refused(pairs: tuple[Pair, ...]) -> None:
    pair = next(
        p for p in pairs if p.premise != p.span and p.premise in p.question and p.question.count(p.span) == 1
    )
    question = pair.question.replace(pair.premise, f"something {pair.span} of some kind")
    _, outcomes = told(pairs, about(pair, "edit", question=question))
    assert outcomes == [("edit_refused", "premise_lost")]


def test_a_decision_about_the_edited_row_follows_the_edit(pairs: tuple[Pair, ...]) -> None:
    pair = polar(pairs, "yes")
    first = about(pair, "edit", answer=pair.answer.rstrip(".") + ", as seen.")
    edited = next(one for one in told(pairs, first)[0] if one not in pairs)
    kept, outcomes = told(pairs, about(edited, "reject"), first)
    assert outcomes == [("edited", None), ("rejected", None)]
    assert kept == [one for one in pairs if one is not pair]


def test_two_edits_that_undo_each_other_end(pairs: tuple[Pair, ...]) -> None:
    pair = polar(pairs, "yes")
    there = about(pair, "edit", answer=pair.answer.rstrip(".") + ", as seen.")
    edited = next(one for one in told(pairs, there)[0] if one not in pairs)
    kept, outcomes = told(pairs, there, about(edited, "edit", answer=pair.answer))
    assert outcomes == [("edited", None), ("edited", None)]
    assert kept == list(pairs)
