"""Two steps that know nothing of each other, each read by its schema, each for both states."""

import json
from dataclasses import replace

import pytest

from mht.generation import Failure, Reply
from mht.records import Reason, State
from mht.verifiers import self_check
from tests.pairing.corpus import pairs_of_phantoms

PARAMS = self_check.Params(engine="judge")
CAPTION = "A caption that says what is there."


def verdicts(state: State, premise: str | None, answer: str | None) -> list[Reason | None]:
    pair = replace(pairs_of_phantoms()[0], state=state.value)
    requests = self_check.ask(pair, CAPTION, None, PARAMS, 3)
    replies = [
        Reply("r", json.dumps({"reason": "so", "verdict": word}))
        if word is not None
        else Reply("r", None, Failure.TIMEOUT, "too slow")
        for word in (premise, answer)
    ]
    return [verdict.refusal for verdict in self_check.judge(pair, requests, replies)]


@pytest.mark.parametrize(
    ("state", "word", "agrees"),
    [
        (State.FAITHFUL, "true", True),
        (State.FAITHFUL, "false", False),
        (State.FAITHFUL, "absent", False),
        (State.FAITHFUL, "open", False),
        (State.HALLUCINATED, "true", False),
        (State.HALLUCINATED, "false", True),
        (State.HALLUCINATED, "absent", True),
        (State.HALLUCINATED, "open", False),
    ],
)
def test_the_premise_is_held_against_the_state(state: State, word: str, agrees: bool) -> None:
    assert verdicts(state, word, "follows")[0] == (None if agrees else Reason.VERIFIER_DISAGREES)


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("word", ["contradicts", "unsupported"])
def test_an_answer_must_follow(state: State, word: str) -> None:
    right = "true" if state is State.FAITHFUL else "absent"
    assert verdicts(state, right, "follows") == [None, None]
    assert verdicts(state, right, word) == [None, Reason.VERIFIER_DISAGREES]


def test_a_verdict_that_did_not_come_is_no_agreement() -> None:
    assert verdicts(State.FAITHFUL, None, "follows") == [Reason.ENGINE_TIMEOUT, None]
    assert verdicts(State.FAITHFUL, "yes", "follows") == [Reason.REPLY_WRONG_SCHEMA, None]


def test_no_step_is_told_the_state_or_what_the_other_is_asked() -> None:
    pair = pairs_of_phantoms()[0]
    premise, answer = self_check.ask(pair, CAPTION, b"image", PARAMS, 3)
    for request in (premise, answer):
        assert CAPTION in request.prompt
        assert pair.state not in request.prompt
        assert request.image is None
    assert pair.answer not in premise.prompt
    twin = replace(pair, state=State.HALLUCINATED.value)
    assert [r.prompt for r in self_check.ask(twin, CAPTION, None, PARAMS, 3)] == [
        premise.prompt,
        answer.prompt,
    ]
    looking = self_check.Params(engine="judge", image=True)
    assert all(request.image == b"image" for request in self_check.ask(pair, CAPTION, b"image", looking, 3))
