"""Every writer, by being there: the plan stays ours whatever a model writes around it."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mht import catalog
from mht.generation import Failure, Reply
from mht.pairing.twins import row_hash
from mht.pairing.writers import written
from mht.prompts import prompt
from mht.records import Pair, Reading, Reason, Refusal, State, Wording
from tests.pairing.corpus import read_pairs

NAMES = catalog.names("pairing.writers")
PARAMS = written.Params(engine="pen")
PLANNED = ("pair_id", "twin_id", "image_id", "split", "form", "state", "type", "strategy", "premise", "polarity",
           "slot", "span", "counterpart", "evidence", "risk", "risk_rule")  # fmt: skip


def twins() -> list[tuple[Reading, tuple[Pair, Pair]]]:
    return [
        (reading, (f, h))
        for reading, pairs in read_pairs()
        for f, h in zip(pairs[::2], pairs[1::2], strict=True)
    ]


def by_form(form: str) -> tuple[Reading, tuple[Pair, Pair]]:
    return next(found for found in twins() if found[1][0].form == form)


def good(polar: bool, **other: object) -> str:
    yes, no = ("Yes, ", "No, ") if polar else ("Certainly: ", "Not so: ")
    texts = {
        "question": "Looking at this picture, what do you say about [PREMISE] here?",
        "true_answer": f"{yes}that can be seen.",
        "true_wrong": f"{no}it is not there.",
        "false_answer": f"{no}something else is there.",
        "false_wrong": f"{yes}it is plain to see.",
    }
    return json.dumps(texts | other)


@pytest.mark.parametrize("name", NAMES)
def test_it_asks_a_model_or_it_does_not(name: str) -> None:
    module = catalog.load("pairing.writers", name)
    assert hasattr(module, "ask") == ("engine" in module.Params.model_fields)
    if hasattr(module, "ask"):
        assert prompt(module.PROMPT)


def test_what_it_words() -> None:
    asked = Counter(pair.form for _, (pair, twin) in twins() if written.asked((pair, twin), PARAMS))
    assert set(asked) == {"yes_no", "leading_premise", "which", "correct_statement", "describe"}
    few = written.Params(engine="pen", forms=("yes_no",))
    assert {pair.form for _, (pair, twin) in twins() if written.asked((pair, twin), few)} == {"yes_no"}


def test_a_request_holds_the_plan_and_not_the_caption() -> None:
    for reading, pair in twins():
        if not written.asked(pair, PARAMS):
            continue
        request = written.ask(pair, reading, PARAMS, 5)
        assert request == written.ask(pair, reading, PARAMS, 5)
        assert json.dumps(pair[0].premise)[1:-1] in request.prompt
        assert json.dumps(pair[1].premise)[1:-1] in request.prompt
        assert reading.caption not in request.prompt
        # The mark that is escaped in the data is the one that the task speaks of.
        assert "\\u005bPREMISE\\u005d" in request.prompt


def test_every_planned_twin_keeps_its_plan_in_any_words() -> None:
    seen = 0
    for reading, pair in twins():
        if not written.asked(pair, PARAMS):
            continue
        seen += 1
        request = written.ask(pair, reading, PARAMS, 5)
        wording = written.read(request, Reply("r", good(pair[0].polarity is not None)), pair)
        assert isinstance(wording, Wording)
        done = written.apply(wording, pair)
        for new, old in zip(done, pair, strict=True):
            assert all(getattr(new, name) == getattr(old, name) for name in PLANNED)
            assert new.question[new.span_start : new.span_end] == old.span
            assert old.premise in new.question
            assert new.row_hash == row_hash(new) != old.row_hash
        faithful, hallucinated = done
        restored = hallucinated.question[: hallucinated.span_start] + hallucinated.counterpart
        assert restored + hallucinated.question[hallucinated.span_end :] == faithful.question
        assert (faithful.answer, hallucinated.answer) == (wording.true_answer, wording.false_answer)
        assert (faithful.rejected, hallucinated.rejected) == (wording.true_wrong, wording.false_wrong)
    assert seen > 500


BAD: dict[str, tuple[dict[str, object], str]] = {
    "no mark": ({"question": "What do you say about that thing here?"}, "0 times"),
    "two marks": ({"question": "Is [PREMISE] here, or is [PREMISE] there?"}, "2 times"),
    "the mark first": ({"question": "[PREMISE] is what we see, is it not?"}, "begins"),
    "another finding": ({"question": "Beside the pneumothorax, do you see [PREMISE] here?"}, "names a finding"),
    "a mark in an answer": ({"true_answer": "Yes, [PREMISE] is there."}, "an answer holds"),
    "the wrong way round": ({"true_answer": "No, that cannot be seen."}, "yes or no that is due"),
    "twice the same": ({"true_wrong": "No, something else is there."}, "the same"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BAD)
def test_what_would_spoil_the_twins_is_refused_with_its_reason(fault: str) -> None:
    reading, pair = by_form("yes_no")
    other, says = BAD[fault]
    told = written.read(written.ask(pair, reading, PARAMS, 5), Reply("r", good(True, **other)), pair)
    assert isinstance(told, Refusal)
    assert told.reason == Reason.REPLY_UNFIT
    assert says in told.detail


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Sure! Here is a question.", Reason.REPLY_PROSE),
        ("Sure! " + good(True), Reason.REPLY_JSON_IN_PROSE),
        (good(True, extra=1), Reason.REPLY_WRONG_SCHEMA),
        (good(True, question="Too short?"), Reason.REPLY_WRONG_SCHEMA),
        (good(True, true_answer="Yes. " * 400), Reason.REPLY_WRONG_SCHEMA),
        ("x" * 30_000, Reason.REPLY_TOO_LONG),
    ],
)
def test_a_reply_is_read_by_its_schema_only(text: str, reason: Reason) -> None:
    reading, pair = by_form("yes_no")
    told = written.read(written.ask(pair, reading, PARAMS, 5), Reply("r", text), pair)
    assert isinstance(told, Refusal)
    assert told.reason == reason


def test_a_failure_is_a_reason() -> None:
    reading, pair = by_form("which")
    told = written.read(
        written.ask(pair, reading, PARAMS, 5), Reply("r", None, Failure.SERVER_ERROR, "503"), pair
    )
    assert told == Refusal(Reason.ENGINE_SERVER_ERROR, "503")


@given(
    st.dictionaries(
        st.sampled_from(["question", "true_answer", "true_wrong", "false_answer", "false_wrong"]), st.text()
    )
)
def test_no_reply_breaks_it(other: dict[str, Any]) -> None:
    reading, pair = by_form("leading_premise")
    told = written.read(written.ask(pair, reading, PARAMS, 5), Reply("r", good(False, **other)), pair)
    if isinstance(told, Wording):
        faithful, hallucinated = written.apply(told, pair)
        assert (faithful.state, hallucinated.state) == (State.FAITHFUL, State.HALLUCINATED)
        assert faithful.question[faithful.span_start : faithful.span_end] == faithful.span
