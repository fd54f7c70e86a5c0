"""VQA-RAD's questions, where they lie beside the checkout, put to the small model and to one with drawn weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from mht.evaluation.command import check_answered, summary
from mht.evaluation.run import EvaluationRun
from mht.phantoms.model import base_folder
from mht.predictions import Score
from tests.engines import tiny
from tests.evaluation.asked import config, run

QUESTIONS, CLOSED, YES_NO, PLAIN_NO = 1_797, 1_027, 942, 473
BLIND = {"echo_yes", "echo_no", "majority"}
WORDS = (
    "generation.max_tokens=16",
    "intervals.draws=100",
    "part_questions=1000",
    "metrics.only=[polarity,vqa]",
)


def asked(model: Path, reference_data: Path, output: Path) -> EvaluationRun:
    given = config(
        "", output, *WORDS, "benchmarks.vqa_rad.split=train", f"benchmarks.vqa_rad.path={reference_data / 'vqa_rad'}",
        model={"model.kind": "transformers", "model.model": model},
    )  # fmt: skip
    made = run(given)
    check_answered(given, made)
    assert f"{QUESTIONS:,} of {QUESTIONS:,} questions answered" in summary(given, made)
    return made


def named(scores: Mapping[str, Sequence[Score]]) -> dict[str, Score]:
    return {one.name: one for one in scores["vqa_rad"]}


def test_the_small_model_answers_every_question_beside_the_blind(
    reference_data: Path, tmp_path: Path
) -> None:
    made = asked(base_folder(), reference_data, tmp_path / "out")
    scores = named(made.scores)
    assert (scores["polarity"].n_asked, scores["vqa.closed"].n) == (YES_NO, CLOSED)
    assert scores["polarity"].n > YES_NO / 2
    assert set(made.baselines) >= BLIND
    for name in BLIND:
        blind = named(made.baselines[name].scores)
        assert blind["polarity"].value == pytest.approx(0.5, abs=0.01)
        assert blind["polarity"].n == YES_NO
    majority = named(made.baselines["majority"].scores)
    assert PLAIN_NO / CLOSED <= (majority["vqa.closed"].value or 0) < 0.5
    page = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    assert all(name.replace("_", " ") in page for name in BLIND)


def test_a_model_with_drawn_weights_is_no_better_than_the_blind(reference_data: Path, tmp_path: Path) -> None:
    made = asked(tiny.llava(tmp_path / "model"), reference_data, tmp_path / "out")
    scores = named(made.scores)
    majority = named(made.baselines["majority"].scores)
    assert (scores["vqa.closed"].value or 0) < (majority["vqa.closed"].value or 0)
    assert scores["vqa"].n == QUESTIONS
