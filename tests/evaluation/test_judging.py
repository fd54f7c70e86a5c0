"""Replies judged by a model: every kind of bad reply, runs that are cut short, budgets, and two judges side by side."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from mht.artifacts import read_manifest
from mht.errors import BudgetSpent, Interrupted, TooManyQuarantined
from mht.evaluation.command import check_answered
from mht.evaluation.evaluate import evaluate
from mht.evaluation.part_in_hand import row_of
from mht.evaluation.progress import ProgressLine
from mht.evaluation.run import FORMAT, EvaluationRun, headline, load
from mht.generation import TRANSIENT, Failure
from mht.predictions import Prediction, Score
from mht.storage import Storage, StorageParams
from tests.engines.scripted_endpoint import Endpoint, prompt_of, scripted_endpoint
from tests.engines.test_openai import ENDS
from tests.evaluation.asked import FAKE, IMAGES, Engine, Failing, columns, config, write_table
from tests.evaluation.graded import (
    BAD,
    IMPATIENT,
    ROWS,
    given,
    grade,
    judge,
    keys,
    names_of,
    said,
    write_replies,
)

STORAGE = Storage(StorageParams())


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("table"))


def score_of(made: EvaluationRun, name: str) -> Score:
    return next(score for score in made.scores["made_up"] if score.name == name)


def test_each_reply_is_judged_once_and_what_is_judged_is_never_asked_again(
    table: str, tmp_path: Path
) -> None:
    """A row whose reply failed is no call, counts as asked, and has no score."""
    replies = write_replies(tmp_path, {"0-0": "No.", "1-1": None})
    with scripted_endpoint(says=grade) as endpoint:
        chosen = given(table, tmp_path / "out", replies, keys(endpoint))
        made = judge(chosen, endpoint)
        assert len(endpoint.calls) == len(ROWS) - 1
        again = judge(chosen, endpoint)
        assert len(endpoint.calls) == len(ROWS) - 1
    found = said(made)
    assert (found["0-0"].accuracy, found["0-0"].risk, found["0-0"].why) == (2, 1, "says the opposite")
    assert (found["1-1"].scores, found["1-1"].failure) == (None, "no_reply")
    assert sum(one.accuracy == 9 for one in found.values()) == 11
    told = score_of(made, "judged.accuracy")
    assert (told.n, told.n_asked, told.value) == (23, 24, pytest.approx((9 * 11 + 2 * 12) / 23))
    assert told.unscored == (("failed_not_in_file", 1),)
    assert told.low is not None
    assert again.benchmarks == made.benchmarks
    assert made.judges["endpoint (grader)"]["spent"] == {"calls": 23, "prompt_tokens": 460, "tokens": 115}
    assert load(STORAGE, chosen.output).judges == made.judges
    listed = {record.path for record in read_manifest(STORAGE, chosen.output, FORMAT)[1]}
    assert sum(path.startswith("judgements/endpoint/made_up/") for path in listed) == 3


def test_every_kind_of_bad_reply_is_a_judgement_without_a_score(table: str, tmp_path: Path) -> None:
    kinds = list(BAD)
    replies = write_replies(tmp_path, {ROWS[at]: f"yes, but {kind} ." for at, kind in enumerate(kinds)})
    with scripted_endpoint(says=grade) as endpoint:
        made = judge(given(table, tmp_path / "out", replies, keys(endpoint)), endpoint)
    found = said(made)
    for at, kind in enumerate(kinds):
        assert (found[ROWS[at]].scores, found[ROWS[at]].failure) == (None, BAD[kind][1]), kind
        assert found[ROWS[at]].why
    assert all(found[name].scores for name in ROWS[len(kinds) :])
    told = score_of(made, "judged.risk")
    assert (told.n, told.n_asked) == (len(ROWS) - len(kinds), len(ROWS))
    assert sum(count for reason, count in told.unscored if reason.startswith("judge_error_")) == len(kinds)
    assert headline(told, partial=False) is None
    with pytest.raises(TooManyQuarantined, match=r"endpoint \(grader\): 16 of 24 replies have no judgement"):
        check_answered(given(table, tmp_path / "out", replies, keys(endpoint)), made)


def test_every_way_of_an_endpoint_ends_as_a_judgement(table: str, tmp_path: Path) -> None:
    """What failed in passing is asked again by the next run, of an endpoint that is well again; nothing else is."""
    for begin in range(0, len(ENDS), len(ROWS)):
        ways = dict(zip(ROWS, list(ENDS)[begin : begin + len(ROWS)], strict=False))
        folder = tmp_path / str(begin)
        replies = write_replies(folder, {name: f"yes {way} ." for name, way in ways.items()})
        with scripted_endpoint(says=grade) as endpoint:
            chosen = given(table, folder / "out", replies, keys(endpoint))
            found = said(judge(chosen, endpoint, **IMPATIENT))
        assert {name: found[name].failure for name in ways} == {
            name: ENDS[way][0] for name, way in ways.items()
        }
        passing = {f"yes {way} ." for way in ways.values() if ENDS[way][0] in TRANSIENT}
        with scripted_endpoint(["fine"], says=grade) as endpoint:
            healed = said(judge(chosen, endpoint))
            assert {json.loads(name)[1] for name in names_of(endpoint.calls)} == passing
        left = {way for name, way in ways.items() if healed[name].failure}
        assert left == {way for way in ways.values() if ENDS[way][0] not in (None, *TRANSIENT)}


def test_a_spent_budget_keeps_what_was_paid_for(table: str, tmp_path: Path) -> None:
    replies = write_replies(tmp_path)
    with scripted_endpoint(says=grade) as endpoint:
        chosen = given(table, tmp_path / "out", replies, keys(endpoint))
        with pytest.raises(BudgetSpent, match="max_calls = 11 is used up, 13 of 24"):
            judge(chosen, endpoint, max_calls=11)
        with pytest.raises(BudgetSpent, match="max_calls = 7 is used up, 6 of 13"):
            judge(chosen, endpoint, max_calls=7)
        made = judge(chosen, endpoint)
    assert len(endpoint.calls) == len(ROWS)
    assert max(Counter(json.dumps(call["messages"]) for call in endpoint.calls).values()) == 1
    assert all(one.scores for one in said(made).values())


def test_whoever_asks_to_stop_loses_no_more_than_what_is_on_its_way(table: str, tmp_path: Path) -> None:
    with scripted_endpoint(says=grade) as endpoint:

        def stop() -> None:
            if len(endpoint.calls) >= 10:
                raise Interrupted("stopped")

        chosen = given(table, tmp_path / "out", write_replies(tmp_path), keys(endpoint), "part_questions=100")
        with pytest.raises(Interrupted):
            judge(chosen, endpoint, pulse=stop, concurrency=2)
        stopped = len(endpoint.calls)
        judge(chosen, endpoint)
    assert 10 <= stopped <= 12
    assert len(endpoint.calls) <= len(ROWS) + 2


def test_another_reply_or_prompt_is_judged_anew_and_nothing_else_is(table: str, tmp_path: Path) -> None:
    replies = write_replies(tmp_path, {"2-2": "left ."})
    with scripted_endpoint(says=grade) as endpoint:
        judge(given(table, tmp_path / "out", replies, keys(endpoint)), endpoint)
        again = keys(endpoint, **{"judges.endpoint.samples": 2})
        made = judge(given(table, tmp_path / "out", replies, again), endpoint)
        assert len(endpoint.calls) == 3 * len(ROWS)
        other = keys(endpoint, "other", **{"judges.other.kind": "endpoint"})
        judge(given(table, tmp_path / "out", replies, keys(endpoint) | other), endpoint)
        assert len(endpoint.calls) == 3 * len(ROWS)  # the very same judge under another name
        judge(given(table, tmp_path / "out", replies, {}), endpoint)
    found = said(made)["2-2"]
    assert (found.samples, found.spread, found.accuracy) == (2, (0, 0, 0, 0), 9)
    assert len({json.dumps(call["messages"]) for call in endpoint.calls}) == 2 * len(ROWS)


def test_replies_that_are_answered_anew_are_judged_anew(table: str, tmp_path: Path) -> None:
    """The model's requests that failed in passing: their rows alone go to the judge when they are there."""
    failures = {"made_up/0-0": Failure.TIMEOUT, "made_up/5-1": Failure.RATE_LIMITED}
    with scripted_endpoint(says=grade) as endpoint:
        chosen = config(table, tmp_path / "out", "metrics.only=[judged]", model=FAKE | keys(endpoint))
        made = judge(chosen, endpoint, model=Failing([], failures))
        assert len(endpoint.calls) == len(ROWS) - 2
        assert said(made)["0-0"].failure == "no_reply"
        healed = judge(chosen, endpoint, model=Engine([]))
    assert len(endpoint.calls) == len(ROWS)
    assert max(Counter(names_of(endpoint.calls)).values()) == IMAGES
    assert all(one.scores for one in said(healed).values())


def test_the_image_is_shown_where_it_is_wanted(table: str, tmp_path: Path) -> None:
    with scripted_endpoint(says=grade) as endpoint:
        words = keys(endpoint, **{"judges.endpoint.image": "true"})
        judge(given(table, tmp_path / "out", write_replies(tmp_path), words), endpoint)
    shown = [call["messages"][1]["content"][0]["image_url"]["url"] for call in endpoint.calls]
    assert len(set(shown)) == IMAGES
    assert all(url.startswith("data:image/png;base64,") for url in shown)
    assert "The image itself is shown" in prompt_of(endpoint.calls[0])


def test_judges_of_one_run_are_held_against_each_other(table: str, tmp_path: Path) -> None:
    """A model, the rubric, and what was released with the replies: figures by each, and how far they agree."""
    lines = [
        {"row_id": name, "reply": "No." if at % 3 else "Yes, there is.", "result": f"{at % 10 + 1} 5 5 5"}
        for at, name in enumerate(ROWS)
    ]
    (tmp_path / "answers.jsonl").write_text("\n".join(map(json.dumps, lines)))
    words = ["predictions.judgement=result", "predictions.judge=gpt", "judges.rubric={}"]
    with scripted_endpoint(says=grade) as endpoint:
        chosen = given(table, tmp_path / "out", str(tmp_path / "answers.jsonl"), keys(endpoint), *words)
        made = judge(chosen, endpoint)
        again = judge(chosen, endpoint)
    assert len(endpoint.calls) == len(ROWS)
    assert again.benchmarks == made.benchmarks
    assert made.judges.keys() == {"endpoint (grader)", "gpt", "rubric"}
    names = {score.name for score in made.scores["made_up"]}
    assert {
        "judged.risk.judge=gpt",
        "judged.risk.judge=rubric",
        "judged.risk.judge=endpoint (grader)",
    } <= names
    assert score_of(made, "judged.relevance.judge=gpt").value == 5
    report = json.loads((tmp_path / "out" / "report.json").read_text())["benchmarks"]["made_up"]
    assert report["judged"].keys() == made.judges.keys()
    assert len(report["judges_agreed"]) == 3 * 4
    by_model = next(
        one
        for one in report["judges_agreed"]
        if (one["one"], one["other"]) == ("endpoint (grader)", "rubric")
    )
    assert (by_model["scale"], by_model["rows"], by_model["of"]) == ("accuracy", 24, 24)
    assert by_model["kappa"] > 0.3
    alone = {one["judge"]: one for one in report["judges_alone"]}
    assert alone["endpoint (grader)"]["brier"] < 0.05 < alone["gpt"]["brier"]
    html = (tmp_path / "out" / "report.html").read_text()
    assert "Agreement of endpoint (grader) and gpt" in html


@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_each_row_is_judged_once(table: str, tmp_path: Path) -> None:
    with scripted_endpoint(says=grade) as endpoint:
        replicas = keys(
            endpoint, **{"judges.endpoint.model.replicas": 2, "judges.endpoint.model.num_cpus": 0.5}
        )
        chosen = given(table, tmp_path / "out", write_replies(tmp_path), replicas, "run.ray=true")
        made = evaluate(chosen, ProgressLine(on=False), lambda: None)
    assert len(endpoint.calls) == len(ROWS)
    assert all(one.scores for one in said(made).values())


def command(table: str, output: Path, replies: str, endpoint: Endpoint) -> list[str]:
    words = columns("made_up", table) | keys(endpoint, **{"judges.endpoint.model.concurrency": 4})
    words |= {"output": output, "predictions.path": replies, "run.progress": "false", "intervals.draws": 100}
    words |= {"judges.rubric.kind": "rubric", "metrics": '{"only": ["judged", "pope"]}'}
    return [sys.executable, "-m", "mht.cli", "evaluate", *(f"{key}={value}" for key, value in words.items())]


def test_killed_it_pays_for_nothing_twice_but_what_was_on_its_way(table: str, tmp_path: Path) -> None:
    """One part of all rows, killed in the middle: what the judge had said is there, and the same command goes on.

    Lost is what was on its way, and what came since replies were kept: never all that it had said.
    """
    replies, output = write_replies(tmp_path), tmp_path / "out"
    with scripted_endpoint(delay_s=0.15, says=grade) as endpoint:
        words = command(table, output, replies, endpoint)
        with subprocess.Popen(words, env=os.environ) as process:
            until = time.monotonic() + 400
            while len(endpoint.calls) < 12 and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            process.send_signal(signal.SIGKILL)
        before = Counter(names_by_row(endpoint))
        assert 12 <= len(before) < len(ROWS)
        done = subprocess.run(words, env=os.environ, capture_output=True, text=True, check=False)
        after = Counter(names_by_row(endpoint))
    assert done.returncode == 0, done.stderr
    assert len(after) == len(ROWS)
    assert sum(after.values()) - len(ROWS) < len(before)
    told = " ".join(done.stdout.split())
    assert "judge endpoint (grader) 24 of 24 replies judged judge rubric 24 of 24 replies judged" in told
    assert "judged accuracy by endpoint (grader) (made_up) 5.500 on 24 of 24" in told
    assert "judged risk by rubric (made_up)" in told


def names_by_row(endpoint: Endpoint) -> list[str]:
    return [json.dumps(call["messages"]) for call in endpoint.calls]


def test_a_judge_is_given_the_answer_without_its_reasoning() -> None:
    row = Prediction("b", "1", "i", "Is there a mass?", "Yes.", "<think>maybe no</think> Yes")
    assert row_of(row).reply == "Yes"
