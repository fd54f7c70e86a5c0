"""A made-up benchmark, an engine that counts what it is asked, and evaluations of one on the other, without Ray."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from mht.config_evaluate import EvaluateConfig, load
from mht.evaluation.answering import Answerer
from mht.evaluation.evaluate import evaluate
from mht.evaluation.progress import ProgressLine
from mht.evaluation.run import EvaluationRun
from mht.generation import Failure, Heard, Reply, Request
from tests.engines import tiny

QUESTIONS = (
    ("is there a nodule in the left lung ?", "yes", "faithful"),
    ("is there a fracture ?", "no", "hallucinated"),
    ("which side is the effusion ?", "left", ""),
    ("is the heart normal ?", "yes", "faithful"),
)
COLUMNS = ("id", "image", "question", "answer", "state", "caption")
IMAGES = 6


def write_table(folder: Path, images: int = IMAGES) -> str:
    """Four questions an image, the rows of an image apart; every second image has a caption."""
    folder.mkdir(parents=True, exist_ok=True)
    for image in range(images):
        (folder / f"{image}.png").write_bytes(tiny.png(image))
    with (folder / "table.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(COLUMNS)
        for at, (question, answer, state) in enumerate(QUESTIONS):
            for image in range(images):
                caption = f"a nodule in the left lung, case {image}" if image % 2 else ""
                rows.writerow((f"{image}-{at}", f"{image}.png", question, answer, state, caption))
    return str(folder / "table.csv")


class Engine:
    """Says yes, and keeps what it was asked. Before the `stop`-th request it does what `at_stop` does."""

    def __init__(
        self, asked: list[str], stop: int | None = None, at_stop: Callable[[list[Reply]], None] | None = None
    ) -> None:
        self.asked = asked
        self._stop = stop
        self._at_stop = at_stop

    def close(self) -> None:
        """Nothing is held."""

    def generate(self, requests: Sequence[Request], tell: Callable[[Heard], None]) -> list[Reply]:
        replies: list[Reply] = []
        for request in requests:
            if self._at_stop is not None and len(self.asked) == self._stop:
                self._at_stop(replies)
            self.asked.append(request.request_id)
            replies.append(self.reply(request))
            tell(Heard(1, 1, len(requests) - len(replies), (replies[-1],)))
        return replies

    def reply(self, request: Request) -> Reply:
        return Reply(request.request_id, "Yes, there is.", prompt_tokens=5, tokens=3)


class Failing(Engine):
    """Leaves the questions about some images without a reply, for a while."""

    def __init__(self, asked: list[str], failures: dict[str, Failure]) -> None:
        super().__init__(asked)
        self._failures = failures

    def reply(self, request: Request) -> Reply:
        failure = self._failures.get(request.request_id)
        if failure is None:
            return super().reply(request)
        return Reply(request.request_id, None, failure, "so it is")


class Weighing(Engine):
    """Also says how likely yes is: three in four."""

    def generate_weighed(
        self, requests: Sequence[Request], answers: Sequence[str], tell: Callable[[Heard], None]
    ) -> tuple[list[Reply], list[tuple[float, ...] | Failure]]:
        assert answers == ("Yes", "No")
        return self.generate(requests, tell), [(0.75, 0.25) for _ in requests]


FAKE = {"model.kind": "openai", "model.model": "fake", "model.base_url": "http://127.0.0.1:9/v1"}
"""An endpoint that is never called: a test gives the engine."""


def config(table: str, output: Path, *words: str, model: dict[str, object] = FAKE) -> EvaluateConfig:
    """Eight questions a part, without Ray; words win over what stands here."""
    given = {
        "output": str(output), "part_questions": "8", "run.ray": "false", "run.progress": "false",
        "intervals.draws": "100", **model,
    }  # fmt: skip
    given |= columns("made_up", table) if table else {}
    given |= dict(word.split("=", 1) for word in words)
    return load(None, [f"{key}={value}" for key, value in given.items()])


def columns(name: str, table: str) -> dict[str, object]:
    """The made-up table under a name."""
    ours = json.dumps({"state": "state", "caption": "caption"})
    key = f"benchmarks.{name}"
    return {f"{key}.kind": "table", f"{key}.path": table, f"{key}.id": "id", f"{key}.columns": ours}


def run(given: EvaluateConfig, engine: Engine | None = None) -> EvaluationRun:
    """The evaluation, by this engine if there is one."""
    answerer = Answerer if engine is None else partial(Answerer, engine=lambda _: engine)
    return evaluate(given, ProgressLine(on=False), lambda: None, answerer)


def once(asked: Sequence[str]) -> bool:
    return max(Counter(asked).values()) == 1
