"""The parts of the judging benchmark on a few rows: what is lost, what is scored, what is paid for twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.judging import (
    GROUPS,
    OURS,
    ROWS,
    Seen,
    Told,
    command,
    faults,
    groups,
    lines,
    scored,
    write_rows,
)
from mht.config_evaluate import load
from mht.evaluation.evaluate import evaluate
from mht.evaluation.progress import ProgressLine
from tests.engines.scripted_endpoint import scripted_endpoint

FEW = 40


def test_faults_are_a_share_of_the_calls_and_the_same_again() -> None:
    turns = faults(3, 0.02)
    assert turns == faults(3, 0.02) != faults(4, 0.02)
    assert len(turns) > 2 * ROWS
    assert 1 - Counter(turns)["fine"] / len(turns) == pytest.approx(0.02, abs=0.005)
    assert set(faults(0, 1.0)) == {"error_500", "reset", "broken_json"}


def test_groups_lose_what_fails(tmp_path: Path) -> None:
    write_rows(tmp_path, FEW)
    seen = Seen()
    turns = ["fine", "error_500", "reset", *["fine"] * 30, "broken_json", *["fine"] * 30]
    with scripted_endpoint(turns, 0.0, seen) as at:
        told = groups(tmp_path, at, seen)
    assert (told.scored, told.calls, told.twice) == (FEW - 3, FEW, 0)
    assert len(seen.rows) == FEW - 3


def test_ours_scores_the_rows_and_the_endpoint_sees_each_once(tmp_path: Path) -> None:
    write_rows(tmp_path, FEW)
    seen = Seen()
    with scripted_endpoint(["error_500", *["fine"] * 100], 0.0, seen) as at:
        given = load(None, command(tmp_path, tmp_path / "out", at, 8)[4:])
        evaluate(given, ProgressLine(on=False), lambda: None)
    assert scored(tmp_path / "out") == FEW
    assert (len(seen.rows), seen.twice, len(at.calls)) == (FEW, 0, FEW + 1)


def test_the_table_tells_the_worst_repeat_and_the_median_time() -> None:
    slow = [Told(8.0, 95, 100, 0, 1.0)] * 3
    fast = [
        Told(wall_s, n, 104, twice, 1.0, twice // 2)
        for wall_s, n, twice in ((0.5, 100, 0), (1.0, 99, 2), (9.0, 100, 0))
    ]
    first, second = lines({GROUPS: slow, OURS: fast}, 100)
    assert first[1:4] == ("8.00 (8.00-8.00)", "1.0", "95 of 100")
    assert second[1:7] == ("1.00 (0.50-9.00)", "8.0", "99 of 100", "104", "2", "1")
