"""Scores that people gave: each rater and all together as judges, on as many replies as they had time for."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from mht.errors import ConfigError, InputError, MhtError
from mht.evaluation.command import check_answered, summary
from mht.evaluation.report.agreeing import agreed
from mht.evaluation.run import EvaluationRun, load
from mht.storage import Storage, StorageParams
from tests.evaluation.asked import Engine, config, run, write_table

HEAD = ("row_id", "rater", "accuracy", "relevance", "detail", "risk")
ANN = [(f"{image}-0", "ann", 8 + image % 2, 8, 5, 9) for image in range(4)]
BEN = [(f"{image}-0", "ben", 6 + image % 2, 8, 7, 9) for image in range(2)]
RUBRIC = "judges.rubric.kind=rubric"


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_table(tmp_path_factory.mktemp("table"))


def ratings(folder: Path, rows: list[Any], head: tuple[str, ...] = HEAD) -> str:
    path = folder / "ratings.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])
    return f"people.path={path}"


def accuracies(made: EvaluationRun, judge: str) -> dict[str, float]:
    given = {row.row_id: row.judged_by(judge) for row in made.benchmarks["made_up"]}
    return {key: float(one.accuracy) for key, one in given.items() if one is not None and one.accuracy}


def test_each_rater_and_their_mean_are_judges(table: str, tmp_path: Path) -> None:
    given = config(table, tmp_path / "out", ratings(tmp_path, [*ANN, *BEN]), RUBRIC)
    made = run(given, Engine([]))
    assert accuracies(made, "ann") == {"0-0": 8, "1-0": 9, "2-0": 8, "3-0": 9}
    assert accuracies(made, "ben") == {"0-0": 6, "1-0": 7}
    assert accuracies(made, "people") == {"0-0": 7, "1-0": 8, "2-0": 8, "3-0": 9}
    scores = {one.name: one for one in made.scores["made_up"]}
    mean = scores["judged.accuracy.judge=people"]
    assert (mean.value, mean.n, dict(mean.unscored)) == (pytest.approx(8), 4, {"not_rated": 20})
    pairs = {
        (one.one, one.other): one for one in agreed(made.benchmarks["made_up"]) if one.scale == "accuracy"
    }
    assert {("ann", "ben"), ("ann", "rubric"), ("ben", "rubric"), ("people", "rubric")} <= pairs.keys()
    assert (pairs["ann", "ben"].n, pairs["ann", "ben"].error) == (2, pytest.approx(2))
    check_answered(given, made)
    assert "judge people" in summary(given, made)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "ann" in report
    again = load(Storage(StorageParams()), str(tmp_path / "out"))
    assert accuracies(again, "people") == accuracies(made, "people")


def test_scores_that_come_later_ask_the_model_nothing(table: str, tmp_path: Path) -> None:
    asked: list[str] = []
    run(config(table, tmp_path / "out"), Engine(asked))
    one = run(config(table, tmp_path / "out", ratings(tmp_path, ANN)), Engine(asked))
    assert set(one.judges) == {"ann"}
    two = run(config(table, tmp_path / "out", ratings(tmp_path, [*ANN[1:], *BEN])), Engine(asked))
    assert accuracies(two, "ann") == {"1-0": 9, "2-0": 8, "3-0": 9}
    assert accuracies(two, "ben") == {"0-0": 6, "1-0": 7}
    assert len(asked) == 24


def test_empty_scores_are_none_and_rows_of_nobody_are_remarked(table: str, tmp_path: Path) -> None:
    rows = [("0-0", "ann", 8, 8, 8, 8), ("1-0", "ann", "", "", "", "")]
    made = run(config(table, tmp_path / "out", ratings(tmp_path, rows)), Engine([]))
    assert accuracies(made, "ann") == {"0-0": 8}
    other = run(config(table, tmp_path / "other", ratings(tmp_path, [("x", "ann", 8, 8, 8, 8)])), Engine([]))
    assert (
        "people scored none of these rows; see people.id, people.benchmark and people.reply" in other.remarks
    )


def test_other_columns_of_the_same_file_are_read_anew(table: str, tmp_path: Path) -> None:
    rows = [("x", *ANN[0][1:], ANN[0][0])]
    path = ratings(tmp_path, rows, (*HEAD, "right_id"))
    first = run(config(table, tmp_path / "out", path), Engine([]))
    assert accuracies(first, "ann") == {}
    assert any("people scored none" in remark for remark in first.remarks)
    again = run(config(table, tmp_path / "out", path, "people.id=right_id"), Engine([]))
    assert accuracies(again, "ann") == {"0-0": 8}
    assert not any("people scored none" in remark for remark in again.remarks)
    swapped = config(
        table,
        tmp_path / "out",
        path,
        "people.id=right_id",
        "people.accuracy=detail",
        "people.detail=accuracy",
    )
    assert accuracies(run(swapped, Engine([])), "ann") == {"0-0": 5}


def test_scores_of_another_models_reply_are_not_taken(table: str, tmp_path: Path) -> None:
    rows = [
        ("0-0", "ann", 8, 8, 8, 8, " Yes,  there is."),
        ("0-0", "ann", 2, 2, 2, 2, "No."),
        ("1-0", "ann", 3, 3, 3, 3, "No."),
    ]
    with pytest.raises(
        InputError, match=r"scored row '0-0' twice.*, or name the column of replies in people\.reply"
    ):
        run(config(table, tmp_path / "out", ratings(tmp_path, rows, (*HEAD, "reply"))), Engine([]))
    path = ratings(tmp_path, rows, (*HEAD, "reply"))
    made = run(config(table, tmp_path / "out", path, "people.reply=reply"), Engine([]))
    assert accuracies(made, "ann") == {"0-0": 8}
    lacking = ratings(tmp_path, [ANN[0]])
    with pytest.raises(InputError, match=r"no column 'said'"):
        run(config(table, tmp_path / "other", lacking, "people.reply=said"), Engine([]))


@pytest.mark.parametrize(
    ("rows", "head", "words", "said"),
    [
        ([("0-0", "ann", 11, 8, 8, 8)], HEAD, [], r"row 1, accuracy: '11' is no score; it lies from 1 to 10"),
        ([("0-0", "ann", 8, "", 8, 8)], HEAD, [], r"row 1, relevance: '' is no score"),
        ([*ANN, ANN[0]], HEAD, [], r"'ann' scored row '0-0' twice"),
        ([], HEAD, [], r"no row has scores"),
        ([("0-0", "a/b", 8, 8, 8, 8)], HEAD, [], r"'a/b' is no name of a rater"),
        ([("0-0", "people", 8, 8, 8, 8)], HEAD, [], r"Give another in people\.together"),
        (ANN, ("id", *HEAD[1:]), [], r"no column 'row_id'; there are 'id', .*people\.id="),
        ([("0-0", "rubric", 8, 8, 8, 8)], HEAD, [RUBRIC], r"a rater and a judge are called 'rubric' both"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_scores_is_told_before_anything_is_asked(
    table: str, tmp_path: Path, rows: list[Any], head: tuple[str, ...], words: list[str], said: str
) -> None:
    asked: list[str] = []
    with pytest.raises(MhtError, match=said) as told:
        run(config(table, tmp_path / "out", ratings(tmp_path, rows, head), *words), Engine(asked))
    assert isinstance(told.value, InputError | ConfigError)
    assert asked == []
