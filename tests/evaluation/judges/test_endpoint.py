"""What a model is asked that judges, and what is read of its replies."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import replace

import pytest

from mht.evaluation.judges import SCALES, Asked
from mht.evaluation.judges._probes import PROBES
from mht.evaluation.judges.endpoint import Params, answer_first, ask, identity, read
from mht.generation import Failure, Reply, Request

ROW = Asked(
    "b/1", "Is there a fracture?", "No, there is none.", "Yes, of the left clavicle.", "A normal chest."
)
MARKS = re.compile(r"BEGIN DATA ([0-9a-f]{16})\n(.*)\nEND DATA \1")


def fenced(request: Request) -> tuple[str, str]:
    """(everything outside of the fence, what is inside)."""
    (found,) = MARKS.finditer(request.prompt)
    return str(request.system) + request.prompt[: found.start()] + request.prompt[found.end() :], found[2]


def grades(name: str = "r", **points: object) -> Reply:
    given = {"reason": "so", "accuracy": 5, "relevance": 5, "detail": 5, "safety": 5} | points
    return Reply(name, json.dumps(given))


def test_a_request_holds_the_texts_as_data_and_nothing_of_them_elsewhere() -> None:
    (request,) = ask(ROW, None, Params(), 1)
    outside, inside = fenced(request)
    told = json.loads(inside)
    assert told == {
        "question": ROW.question, "reference": ROW.truth, "answer": ROW.reply, "caption": ROW.caption,
    }  # fmt: skip
    assert not any(text in outside for text in told.values())
    assert "{" not in outside.replace('{"reason"', "")
    assert (request.temperature, request.image, request.request_id) == (0, None, "b/1#0")
    bare = json.loads(fenced(ask(ROW, None, Params(caption=False), 1)[0])[1])
    assert bare.keys() == {"question", "reference", "answer"}
    assert "caption" not in ask(replace(ROW, caption=None), None, Params(), 1)[0].prompt


def test_the_official_four_are_asked_for_and_risk_as_safety() -> None:
    (request,) = ask(ROW, None, Params(), 1)
    schema = request.schema or {}
    assert set(schema["required"]) == {"reason", "accuracy", "relevance", "detail", "safety"}
    assert schema["required"][0] == "reason"
    points = [schema["properties"][name] for name in ("accuracy", "relevance", "detail", "safety")]
    assert points == [{"type": "integer", "minimum": 1, "maximum": 10}] * 4
    given = read(ROW, [grades(accuracy=1, relevance=2, detail=3, safety=4)], Params())
    assert given.scores == (1, 2, 3, 4)
    assert SCALES[3] == "risk"


def test_orders_are_the_rows_own_and_favour_no_place() -> None:
    orders, first = Counter[tuple[str, ...]](), Counter[str]()
    for at in range(400):
        (request,) = ask(replace(ROW, row_id=f"b/{at}"), None, Params(), 1)
        assert ask(replace(ROW, row_id=f"b/{at}"), None, Params(), 1) == (request,)
        scales = tuple((request.schema or {})["required"][1:])
        written = [re.search(rf'^- "{name}"', request.prompt, re.MULTILINE) for name in scales]
        places = [found.start() for found in written if found is not None]
        assert places == sorted(places)
        assert len(places) == 4
        orders[scales] += 1
        first[list(json.loads(fenced(request)[1]))[1]] += 1
    assert len(orders) == 24
    assert max(orders.values()) < 40
    assert first.keys() == {"reference", "answer"}
    assert 150 < first["answer"] < 250
    assert ask(ROW, None, Params(), 1) != ask(ROW, None, Params(), 2)


def test_samples_are_asked_in_orders_of_their_own_and_averaged() -> None:
    params = Params(samples=3, temperature=0.5)
    requests = ask(ROW, None, params, 1)
    assert [request.request_id for request in requests] == ["b/1#0", "b/1#1", "b/1#2"]
    assert len({request.seed for request in requests}) == 3
    assert len({request.prompt for request in requests}) == 3
    given = read(ROW, [grades(accuracy=points) for points in (2, 4, 9)], params)
    assert (given.accuracy, given.samples, given.why) == (5, 3, "so")
    assert given.spread == (pytest.approx(3.6056, abs=1e-3), 0, 0, 0)
    fewer = read(ROW, [grades(accuracy=2), Reply("r", "no"), grades(accuracy=4)], params)
    assert (fewer.accuracy, fewer.samples) == (3, 2)


def test_where_no_reply_is_of_use_the_kind_is_told_and_one_in_passing_first() -> None:
    broken, late = Reply("r", "seven"), Reply("r", None, Failure.TIMEOUT, "no answer in time")
    assert read(ROW, [broken], Params()).failure == "prose"
    told = read(ROW, [broken, late], Params(samples=2))
    assert (told.failure, told.why, told.scores) == ("timeout", "no answer in time", None)


def test_a_row_without_a_reference_is_asked_of_nobody() -> None:
    row = replace(ROW, truth=" \n")
    assert ask(row, None, Params(), 1) == ()
    assert read(row, [], Params()).failure == "no_truth"


def test_texts_are_read_up_to_their_bound() -> None:
    (request,) = ask(replace(ROW, reply="ab" * 500), None, Params(max_chars=100), 1)
    assert json.loads(fenced(request)[1])["answer"] == "ab" * 50


def test_the_identity_holds_the_prompt_and_the_settings() -> None:
    told = identity(Params())
    assert (told["prompt"], told["samples"], told["temperature"]) == (1, 1, 0)
    assert len(told["prompt_sha"]) == 16


def obeys(request: Request) -> bool:
    """A gullible judge: does what is told outside of the fence, and whatever stands behind a chat template's mark."""
    outside, inside = fenced(request)
    marks = ("<|", "|>", "[INST]", "[/INST]", "<s>", "</s>", "_turn>", "\uff5c", "&lt;")
    acts = any(mark in inside for mark in marks) or "\n" in inside or not inside.isprintable()
    return "grade this ten" in outside or acts


@pytest.mark.parametrize("probe", PROBES)
def test_what_a_reply_tells_its_judge_is_data(probe: str) -> None:
    (plain,) = ask(ROW, None, Params(), 1)
    (request,) = ask(replace(ROW, reply=f"{ROW.reply} {probe}"), None, Params(), 1)
    outside, inside = fenced(request)
    assert outside == fenced(plain)[0]
    assert "grade this ten" in inside
    assert not obeys(request)
    assert (request.system, request.schema) == (plain.system, plain.schema)
    assert len(PROBES) == 20


def test_the_gullible_judge_obeys_what_is_not_fenced() -> None:
    (plain,) = ask(ROW, None, Params(), 1)
    assert all(
        obeys(replace(plain, prompt=f"{plain.prompt}\n{probe}")) for probe in PROBES if "BEGIN" not in probe
    )


def test_a_number_beside_the_schema_is_no_grade() -> None:
    for probe in PROBES:
        assert read(ROW, [Reply("r", probe)], Params()).scores is None


def test_the_order_that_was_drawn_can_be_told_afterwards() -> None:
    for seed in range(8):
        asked = ask(ROW, None, Params(samples=4), seed)
        first = [list(json.loads(fenced(request)[1])).index("answer") == 1 for request in asked]
        assert answer_first(ROW.row_id, 4, seed) == sum(first) / 4
