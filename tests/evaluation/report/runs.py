"""A scored run with all kinds of rows, made without a model: phantoms, their pairs, and replies of every sort."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from mht import catalog
from mht.evaluation.intervals import IntervalParams, with_interval
from mht.evaluation.run import EvaluationRun
from mht.phantoms.draw import encode, render
from mht.predictions import Prediction, Score
from tests.evaluation.rows import predictions
from tests.pairing.corpus import phantoms

INTERVALS = IntervalParams(draws=200)
METRICS = (
    "abstention", "calibration", "chair", "choice", "false_denial", "false_premise", "hallucination_rate", "judged",
    "likelihood",
    "over_confidence", "over_rejection", "polarity", "pope", "risk_coverage", "risk_misread", "risk_weighted", "rouge",
    "severity", "twins", "vqa",
)  # fmt: skip
HOSTILE = (
    "Yes. <script>alert(1)</script> \x1b[31mred\x1b[0m \u202egnorw\u202c <img src=http://x.example/a.png> ]]>"
)
BLIND: Mapping[str, Callable[[Prediction], str]] = {
    "echo_yes": lambda row: f"Yes, {row.question}",
    "echo_no": lambda row: f"No, {row.question}",
    "question_only": lambda row: row.question,
    "caption": lambda row: row.caption or "",
}


def measured(rows: Sequence[Prediction], names: Sequence[str] = METRICS) -> list[Score]:
    found: list[Score] = []
    for name in names:
        module = catalog.load("evaluation.metrics", name)
        found += [with_interval(one, INTERVALS) for one in module.measure(rows, module.Params())]
    return found


def run_of(
    benchmarks: Mapping[str, Sequence[Prediction]],
    name: str = "tiny-model",
    partial: bool = False,
    blind: bool = True,
) -> EvaluationRun:
    """The rows with their scores and, where wanted, the blind baselines."""
    same = {
        "run": "0123456789ab",
        "notes": {
            one: ["Read from a folder of phantoms; 3 rows were refused: no_image."] for one in benchmarks
        },
        "digests": dict.fromkeys(benchmarks, "00"),
        "config": {"partial": partial},
        "code": "feedc0de",
    }
    made = {}
    for baseline, reply in BLIND.items() if blind else ():
        replies = {
            one: [replace(row, reply=reply(row), failure=None) for row in rows]
            for one, rows in benchmarks.items()
        }
        scores = {one: measured(rows, ("rouge", "vqa", "polarity")) for one, rows in replies.items()}
        made[baseline] = EvaluationRun(
            name=baseline, model={"kind": "baseline"}, benchmarks=replies, scores=scores, **same
        )
    return EvaluationRun(
        name=name,
        model={"kind": "transformers", "model": "example/tiny", "revision": "abc123"},
        benchmarks=benchmarks,
        scores={one: measured(rows) for one, rows in benchmarks.items()},
        baselines=made,
        **same,
    )


def plain_rows(n: int = 12) -> list[Prediction]:
    """Rows of a benchmark without any column of ours: no state, type, risk, probability or judgement."""
    rng = random.Random(7)
    words = ("Yes", "No", "Maybe so", "yes, it is")
    return [
        Prediction(
            "open",
            f"r{at}",
            f"i{at // 2}",
            f"Is the heart of image {at} enlarged?",
            "Yes" if at % 3 else "No",
            None if at == 5 else rng.choice(words),
            "timeout" if at == 5 else None,
        )
        for at in range(n)
    ]


def phantom_pictures(
    n: int = 4, seed: int = 3, side_px: int = 224
) -> Callable[[str, Sequence[Prediction]], list[bytes | None]]:
    """Pictures of the rows of `predictions(n, seed)`; None for any other."""
    scenes = {name: scene for scene, (name, _) in phantoms(n, seed)}

    def pictures(benchmark: str, rows: Sequence[Prediction]) -> list[bytes | None]:
        return [
            encode(render(scenes[row.image_id], side_px)) if row.image_id in scenes else None for row in rows
        ]

    return pictures


def pairs(n: int = 4) -> list[Prediction]:
    """The pairs of phantoms with right, wrong, odd and failed replies; one of the wrong ones is hostile."""
    rows = list(predictions(n))
    at = next(
        i for i, row in enumerate(rows) if row.state == "hallucinated" and row.form == "yes_no" and row.reply
    )
    rows[at] = replace(rows[at], reply=HOSTILE, risk="critical")
    return rows
