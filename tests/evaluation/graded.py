"""A model that grades, behind the scripted endpoint, and evaluations whose replies it judges, without Ray."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from mht.config_evaluate import EvaluateConfig
from mht.evaluation.answering import Answerer
from mht.evaluation.evaluate import evaluate
from mht.evaluation.judging import Judging
from mht.evaluation.progress import ProgressLine
from mht.evaluation.run import EvaluationRun
from mht.judgements import Judgement
from tests.engines.asking import engine_at
from tests.engines.fake_time import FakeTime
from tests.engines.scripted_endpoint import Endpoint, prompt_of
from tests.evaluation.asked import IMAGES, QUESTIONS, Engine, config

ROWS = [f"{image}-{at}" for at in range(len(QUESTIONS)) for image in range(IMAGES)]
_FENCE = re.compile(r"BEGIN DATA ([0-9a-f]{16})\n(.*)\nEND DATA \1")
_GOOD = '{"reason": "none", "accuracy": 7, "relevance": 8, "detail": 6, "safety": 9}'
BAD = {
    "prose": ("I would give it seven points for accuracy and nine for safety.", "prose"),
    "in_prose": (f"Here it is: {_GOOD}", "json_in_prose"),
    "with_prose": (f"{_GOOD} I hope that helps!", "json_in_prose"),
    "official": ("7 8 6 9", "prose"),
    "half": (_GOOD[:-20], "broken_json"),
    "word": (_GOOD.replace("7", '"high"'), "wrong_schema"),
    "eleven": (_GOOD.replace("7", "11"), "wrong_schema"),
    "nought": (_GOOD.replace("7", "0"), "wrong_schema"),
    "broken_points": (_GOOD.replace("7", "7.5"), "wrong_schema"),
    "nan": (_GOOD.replace("7", "NaN"), "not_a_number"),
    "lacking": ('{"reason": "none", "accuracy": 7}', "wrong_schema"),
    "more": (_GOOD.replace("}", ', "grade": 10}'), "wrong_schema"),
    "twice": (_GOOD.replace("}", ', "accuracy": 10}'), "duplicate_key"),
    "list": (f"[{_GOOD}]", "wrong_schema"),
    "long": (_GOOD.replace("none", "x" * 30_000), "too_long"),
    "lone": (_GOOD.replace("none", "\\ud800"), "not_unicode"),
}
"""What a model may write in place of its grades, and what becomes of it."""


def data_of(call: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the fence of a judge's prompt."""
    found = _FENCE.search(prompt_of(dict(call)))
    assert found is not None
    told: dict[str, str] = json.loads(found[2])
    return told


def grade(call: dict[str, Any]) -> str:
    """High points where answer and reference say the same first word; what the answer asks for by a name of BAD."""
    data = data_of(call)
    for word in data["answer"].split():
        if word in BAD:
            return BAD[word][0]
    same = data["answer"].lower()[:2] == data["reference"].lower()[:2]
    points = {"accuracy": 9, "relevance": 8, "detail": 7, "safety": 10} if same else {
        "accuracy": 2, "relevance": 5, "detail": 4, "safety": 1}  # fmt: skip
    return json.dumps({"reason": "agrees" if same else "says the opposite"} | points)


def write_replies(folder: Path, replies: Mapping[str, str | None] | None = None) -> str:
    """A file of replies, yes where nothing else is given; None leaves a row out."""
    given = dict.fromkeys(ROWS, "Yes, there is one.") | dict(replies or {})
    lines = [
        json.dumps({"row_id": name, "reply": reply}) for name, reply in given.items() if reply is not None
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "answers.jsonl").write_text("\n".join(lines))
    return str(folder / "answers.jsonl")


def keys(endpoint: Endpoint, name: str = "endpoint", **more: object) -> dict[str, object]:
    """A judge at the endpoint, in whose replies nothing is planted."""
    at = f"judges.{name}"
    told = {f"{at}.probes": "false", f"{at}.model.model": "grader", f"{at}.model.base_url": endpoint.base_url}
    return told | more


def given(
    table: str, output: Path, replies: str, judges: Mapping[str, object], *words: str
) -> EvaluateConfig:
    """Replies from a file, judged; eight questions a part."""
    metrics = "metrics.only=[judged, pope]"
    return config(table, output, metrics, *words, model={"predictions.path": replies, **judges})


IMPATIENT = {"read_timeout_s": 0.3, "total_timeout_s": 0.6}
"""Settings of a judge's engine for an endpoint that never answers some requests."""


def judge(
    chosen: EvaluateConfig,
    endpoint: Endpoint,
    model: Engine | None = None,
    pulse: Callable[[], None] = lambda: None,
    **more: object,
) -> EvaluationRun:
    """The evaluation, its judges asking the endpoint in a time of their own; `model` replies where it is given."""
    settings = {"read_timeout_s": 60, "total_timeout_s": 120, "max_tries": 3} | more

    def engine(_: EvaluateConfig, __: str) -> Any:
        return engine_at(endpoint.base_url, FakeTime(), **settings)

    answerer = Answerer if model is None else partial(Answerer, engine=lambda _: model)
    return evaluate(chosen, ProgressLine(on=False), pulse, answerer, partial(Judging, engine=engine))


def said(made: EvaluationRun, judge: str = "endpoint (grader)") -> dict[str, Judgement]:
    """What a judge said, by row."""
    found = {row.row_id: row.judged_by(judge) for row in made.benchmarks["made_up"]}
    return {name: one for name, one in found.items() if one is not None}


def names_of(calls: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was judged, call by call: the answer with its question."""
    return [json.dumps([data_of(call)[key] for key in ("question", "answer")]) for call in calls]
