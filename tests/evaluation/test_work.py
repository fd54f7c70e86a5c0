"""Parts worked off on Ray and in a process that is killed, by an endpoint that writes down every call."""

from __future__ import annotations

import json
import math
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mht.evaluation.run import EvaluationRun
from tests.engines.scripted_endpoint import LIKELY, Endpoint, scripted_endpoint
from tests.evaluation.asked import IMAGES, QUESTIONS, columns, config, run, write_table

ROWS = IMAGES * len(QUESTIONS)
PART = 4


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("table"))


def model(endpoint: Endpoint, **more: object) -> dict[str, object]:
    return {"model.kind": "openai", "model.model": "m", "model.base_url": endpoint.base_url} | more


def calls(endpoint: Endpoint) -> Counter[str]:
    """How often each question was asked: its words with its image."""
    return Counter(json.dumps(call["messages"]) for call in endpoint.calls)


def replies(made: EvaluationRun) -> dict[str, str | None]:
    return {row.row_id: row.reply for row in made.benchmarks["made_up"]}


@pytest.mark.usefixtures("ray_cluster")
def test_on_ray_each_row_is_asked_once_and_comes_back(table: str, tmp_path: Path) -> None:
    with scripted_endpoint() as endpoint:
        given: dict[str, Any] = model(endpoint, **{"model.replicas": 2, "model.num_cpus": 0.5})
        words = [f"part_questions={PART}", "run.ray=true"]
        made = run(config(table, tmp_path / "out", *words, model=given))
        assert set(calls(endpoint).values()) == {1}
        assert len(endpoint.calls) == ROWS
        again = run(config(table, tmp_path / "out", *words, model=given))
        assert len(endpoint.calls) == ROWS
        here = run(config(table, tmp_path / "here", f"part_questions={PART}", model=model(endpoint)))
    assert replies(made) == replies(again) == replies(here)
    assert replies(made)["2-1"] == f"reply to {QUESTIONS[1][0]}"


def test_more_requests_are_in_flight_than_a_part_has_questions(table: str, tmp_path: Path) -> None:
    with scripted_endpoint(delay_s=0.3) as endpoint:
        given = model(endpoint, **{"model.concurrency": 12})
        run(config(table, tmp_path / "out", f"part_questions={PART}", model=given))
        assert len(endpoint.calls) == ROWS
    assert endpoint.in_flight > PART
    assert committed(tmp_path / "out") == ROWS / PART


def test_an_endpoint_that_tells_likelihoods_is_measured_by_them(table: str, tmp_path: Path) -> None:
    with scripted_endpoint(script=["likely"]) as endpoint:
        made = run(config(table, tmp_path / "out", model=model(endpoint, **{"model.top_logprobs": 4})))
    asked = [row for row in made.benchmarks["made_up"] if row.polarity is not None]
    yes = math.exp(LIKELY["Yes"]) + math.exp(LIKELY[" yes"])
    assert asked
    wanted = pytest.approx(yes / (yes + math.exp(LIKELY["No"])))
    assert [row.likelihood_yes for row in asked] == [wanted] * len(asked)
    scores = {one.name: one for one in made.scores["made_up"]}
    told = scores["likelihood"]
    assert (told.n, told.value) == (
        len(asked),
        pytest.approx(sum(row.polarity == "yes" for row in asked) / len(asked)),
    )
    assert not any("not compared" in remark for remark in made.remarks)


def command(
    table: str, output: Path, endpoint: Endpoint, part: int = PART, concurrency: int = 1
) -> Sequence[str]:
    given = model(endpoint, **{"model.concurrency": concurrency}) | columns("made_up", table)
    given |= {"output": output, "part_questions": part, "run.ray": "false", "run.progress": "false"}
    return [sys.executable, "-m", "mht.cli", "evaluate", *(f"{key}={value}" for key, value in given.items())]


def committed(output: Path) -> int:
    return len(list(output.glob("commits/*/*.json")))


def test_killed_it_goes_on_where_it_was(table: str, tmp_path: Path) -> None:
    parts, output = 2, tmp_path / "out"
    with scripted_endpoint(delay_s=0.05) as endpoint:
        with subprocess.Popen(command(table, output, endpoint), env=os.environ) as process:
            until = time.monotonic() + 400
            while committed(output) < parts and process.poll() is None and time.monotonic() < until:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        kept = committed(output)
        assert parts <= kept < ROWS / PART
        before = calls(endpoint)
        words = [f"part_questions={PART}", "model.concurrency=1"]
        made = run(config(table, output, *words, model=model(endpoint)))
        after = calls(endpoint)
    assert len(after) == ROWS
    asked_again = [one for one in before if after[one] > before[one]]
    assert len(asked_again) <= PART
    assert sum(after.values()) <= ROWS + PART
    assert all(reply is not None and reply.startswith("reply to") for reply in replies(made).values())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_in_the_middle_of_a_part_it_asks_only_what_is_missing(
    table: str, tmp_path: Path, how: signal.Signals
) -> None:
    """One part of all rows: asked twice is at the most what was on its way, and after a kill what was not kept yet."""
    at_once, output = 2, tmp_path / "out"
    with scripted_endpoint(delay_s=0.3) as endpoint:
        words = command(table, output, endpoint, part=100, concurrency=at_once)
        with subprocess.Popen(words, env=os.environ, stderr=subprocess.PIPE, text=True) as process:
            until = time.monotonic() + 400
            while len(endpoint.calls) < ROWS / 2 and process.poll() is None and time.monotonic() < until:
                time.sleep(0.005)
            process.send_signal(how)
            told = process.communicate()[1]
        before = len(endpoint.calls)
        assert ROWS / 2 <= before < ROWS
        assert committed(output) == 0
        given = config(table, output, "part_questions=100", model=model(endpoint))
        made = run(given)
        after = calls(endpoint)
    assert process.returncode == (-how if how is signal.SIGKILL else 128 + how), told
    assert len(after) == ROWS
    assert sum(after.values()) <= ROWS + (before - 1 if how is signal.SIGKILL else at_once)
    assert all(reply is not None and reply.startswith("reply to") for reply in replies(made).values())
    assert made.spent["calls"] == ROWS
