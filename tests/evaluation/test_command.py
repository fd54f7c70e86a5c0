"""`mht evaluate` as it is called: what it prints, and the exit code that tells."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mht.cli import main
from tests.evaluation.asked import IMAGES, QUESTIONS, columns, write_table


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("table"))


def called(table: str, folder: Path, replies: int, *words: str) -> int:
    """With a file of so many replies, all of them yes."""
    names = [f"{image}-{at}" for image in range(IMAGES) for at in range(len(QUESTIONS))][:replies]
    file = folder / "answers.jsonl"
    file.write_text("".join(json.dumps({"row_id": name, "reply": "Yes."}) + "\n" for name in names))
    given: dict[str, object] = {
        "output": folder / "out", "predictions.path": file, "run.progress": "false", "intervals.draws": 100,
        "metrics": '{"only": ["pope", "polarity", "false_premise"]}', **columns("made_up", table),
    }  # fmt: skip
    return main(["evaluate", *(f"{key}={value}" for key, value in given.items()), *words])


def test_a_whole_run_exits_0_and_prints_figures_beside_blind_ones(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(table, tmp_path, 24) == 0
    told = capsys.readouterr().out
    assert "24 of 24 questions answered" in told
    assert "1.000 [" in told
    assert "on 6 of 6; blind: echo_yes 1.000 [0.541, 1.000], echo_no 0.000 [0.000, 0.459]" in told
    assert str(tmp_path / "out" / "report.html") in told
    assert (tmp_path / "out" / "report.html").stat().st_size > 1000


def test_too_many_rows_without_a_reply_exit_3_and_refuse_the_headline(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(table, tmp_path, 20) == 3
    out, err = capsys.readouterr()
    assert "20 of 24 questions answered" in out
    assert "refused: 1 of 6 rows failed (partial=true shows it)" in out
    assert "4 of 24 requests had no reply, over run.max_failed=0.02" in err
    assert called(table, tmp_path, 20, "partial=true", "run.max_failed=0.2") == 0
    assert "1.000 [" in capsys.readouterr().out


def test_another_run_in_the_output_exits_73(
    table: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    called(table, tmp_path, 24)
    assert called(table, tmp_path, 23) == 73
    assert "model (digest)" in capsys.readouterr().err
