"""Files of predictions: columns by name, every row matched or told, nothing guessed."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mht.config_evaluate import FileConfig
from mht.errors import InputError
from mht.evaluation.elsewhere import NO_ROW, NULL_REPLY, Elsewhere
from mht.questions import Question, answered
from mht.storage import Storage, StorageParams

STORAGE = Storage(StorageParams())


def questions(*names: str, benchmark: str = "b") -> list[Question]:
    return [Question(benchmark, name, "i", None, "q ?", "yes", "closed") for name in names]


def elsewhere(path: Path, **columns: str) -> Elsewhere:
    return Elsewhere(FileConfig(path=str(path), **columns), STORAGE)


def test_rows_of_a_csv_are_matched_by_id(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    with file.open("w", newline="") as out:
        csv.writer(out).writerows(
            [("id", "said", "p"), ("1", " Yes.\n", "0.9"), ("2", "", ""), ("9", "x", "1")]
        )
    found = elsewhere(file, id="id", reply="said", likelihood_yes="p")
    rows = [row.prediction for row in found.rows(questions("1", "2", "3"))]
    assert [(row.reply, row.failure, row.likelihood_yes) for row in rows] == [
        ("Yes.", None, 0.9), ("", None, None), (None, NO_ROW, None),
    ]  # fmt: skip
    assert found.note() == "1 of the 3 rows of the file answer no question here"


def test_several_benchmarks_in_one_file(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"row_id": 1, "reply": "of b", "of": "b"}\n{"row_id": 1, "reply": null, "of": "c"}\n',
        encoding="utf-8",
    )
    found = elsewhere(file, benchmark="of")
    assert found.rows(questions("1"))[0].prediction.reply == "of b"
    assert found.rows(questions("1", benchmark="c"))[0].prediction.failure == NULL_REPLY
    assert found.note() is None
    with pytest.raises(InputError, match="Name the column of benchmarks"):
        elsewhere(file)


def test_judgements_that_came_with_the_predictions(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(
        '{"row_id": 1, "reply": "x", "result": "7 8 6 9\\n\\nBecause."}\n'
        '{"row_id": 2, "reply": "x", "result": null}\n{"row_id": 3, "reply": null, "result": "1 1 1 1"}\n'
    )
    told = elsewhere(file, judgement="result", judge="gpt")
    found = [told.judgement(answered(one, "x", None)) for one in questions("1", "2", "3", "4")]
    assert [one.scores for one in found] == [(7, 8, 6, 9), None, None, None]
    assert [one.failure for one in found] == [None, "empty", "no_reply", "no_reply"]
    assert {one.judge for one in found} == {"gpt"}


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id": 1, "reply": "x"}', "no column 'row_id'; there are 'id', 'reply'"),
        ("{", "not_json"),
        ('{"row_id": 1, "reply": "x", "p": 1.5}', "1.5 is no probability of yes"),
        ('{"row_id": 1, "reply": "x", "p": "often"}', "'often' is no probability"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_row(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"row_id": 0, "reply": "x", "p": 0}\n' + text)
    with pytest.raises(InputError, match="row 2") as told:
        elsewhere(file, likelihood_yes="p")
    assert says in str(told.value)
