"""Files of predictions: columns by name, every row matched or told, nothing guessed."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
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


@pytest.mark.parametrize(
    ("given", "reply"),
    [
        (["no"], "no"),
        ([[" No.\n"]], "No."),
        ([["[1]"]], "[1]"),
        (2, "2"),
        (0.5, "0.5"),
        ([True], "True"),
        ("nan", "nan"),
        ("\ud800 yes \U0001f9b4\udfff", "\ufffd yes \U0001f9b4\ufffd"),
    ],
)
def test_a_reply_is_a_text_or_a_number_also_in_lists_of_one(tmp_path: Path, given: Any, reply: str) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"row_id": 1, "reply": given}))
    (row,) = elsewhere(file).rows(questions("1"))
    assert (row.prediction.reply, row.prediction.failure) == (reply, None)
    assert pa.array([row.prediction.reply], pa.string()).to_pylist() == [reply]


@pytest.mark.parametrize("given", [None, math.nan, [None], [[math.nan]]])
def test_nothing_in_place_of_a_number_or_a_text_is_no_reply(tmp_path: Path, given: Any) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps({"row_id": 1, "reply": given}))
    (row,) = elsewhere(file).rows(questions("1"))
    assert (row.prediction.reply, row.prediction.failure) == (None, NULL_REPLY)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (["yes", "no"], "a list of 2"),
        ([], "a list of 0"),
        ([[[-0.5, False]]], "a list of 2"),
        ({"text": "no"}, "of type dict"),
        ([{"text": "no"}], "of type dict"),
    ],
)
def test_another_thing_than_one_text_is_told_with_its_row_and_its_id(
    tmp_path: Path, given: Any, says: str
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"row_id": "a/1", "reply": "x"}\n' + json.dumps({"row_id": "a/2", "reply": given}))
    with pytest.raises(InputError, match=r"a\.jsonl', row 2, id 'a/2', column 'reply'") as told:
        elsewhere(file)
    assert f"the reply is {says}, and has to be one text." in str(told.value)
    assert "predictions.reply=" in str(told.value)


def test_a_whole_number_is_an_id_however_it_is_written(tmp_path: Path) -> None:
    ids, replies = [1.0, 2.5, -3.0, 12345678.0], ["one", "half", "less", "many"]
    pq.write_table(pa.table({"row_id": ids, "reply": replies}), tmp_path / "a.parquet")
    lines = (json.dumps(row) for row in pa.table({"row_id": ids, "reply": replies}).to_pylist())
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    for name in ("a.parquet", "a.jsonl"):
        for asked in (("1", "2.5", "-3", "12345678"), ("1.0", "2.5", "-3.0", "12345678.0")):
            found = elsewhere(tmp_path / name)
            assert [row.prediction.reply for row in found.rows(questions(*asked))] == replies
            assert found.note() is None


def test_a_text_is_no_number_for_an_id(tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"row_id": "1.0", "reply": "x"}\n{"row_id": "1", "reply": "y"}')
    found = elsewhere(file)
    assert [row.prediction.reply for row in found.rows(questions("1", "1.0"))] == ["y", "x"]


@pytest.mark.parametrize("other", ["1", '"1"', '"1.0"', "1.0"])
def test_an_id_that_stands_there_twice_is_told_however_it_is_written(tmp_path: Path, other: str) -> None:
    file = tmp_path / "a.jsonl"
    for ids in (("1.0", other), (other, "1.0")):
        file.write_text("\n".join(f'{{"row_id": {one}, "reply": "x"}}' for one in ids))
        with pytest.raises(InputError, match=r"id '1' stands there twice|id '1\.0' stands there twice"):
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
