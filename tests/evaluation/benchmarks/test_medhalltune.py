"""MedHallTune: both splits, and the files that the official script and its page take."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mht.errors import InputError
from mht.judgements import Judgement, read_official
from mht.questions import answered
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened
from tests.evaluation.benchmarks.made import medhalltune, medhalltune_rows, write_images, write_lines


def test_a_row_becomes_a_question(open_one: Open) -> None:
    found = list(open_one("medhalltune").questions())
    assert [q.row_id for q in found] == ["positive/0", "positive/1", "positive/2", "negative/0", "negative/1"]
    first, last = found[0], found[-1]
    assert first.question == "Does drawing 0 show a circle?"
    assert first.truth == "Yes, it shows circle 0."
    assert (first.state, first.kind, first.polarity, first.caption) == (
        "faithful",
        "closed",
        "yes",
        "Drawing 0.",
    )
    assert (last.state, last.kind, last.polarity) == ("hallucinated", "open", None)
    only = list(open_one("medhalltune", split=["negative"]).questions())
    assert only == found[3:]


@pytest.mark.parametrize("folder", ["", "results_save_dir"])
@pytest.mark.parametrize("name", ["val_{}_qa-filtered", "llava-med-prediction-{}-GPT4o-eval-filtered"])
def test_every_name_that_the_release_had_is_known(
    name: str, folder: str, tmp_path: Path, storage: Storage
) -> None:
    write_images(tmp_path / "images", ["a.jpg"])
    for word in ("postive" if "llava" in name else "positive", "negative"):
        write_lines(tmp_path / folder / f"{name.format(word)}.jsonl", medhalltune_rows(["a.jpg"], "Yes"))
    benchmark = opened("medhalltune", {"path": str(tmp_path)}, storage)
    found = list(benchmark.questions())
    assert [q.row_id for q in found] == ["positive/0", "negative/0"]
    assert benchmark.images(found)[0] == (tmp_path / "images" / "a.jpg").read_bytes()


def test_question_files_without_answers_can_be_asked(tmp_path: Path, storage: Storage) -> None:
    rows = [{"question_id": 4, "image": "a.jpg", "question": "Is it a ring?\n<image>"}]
    write_lines(tmp_path / "positive_qa.jsonl", rows)
    benchmark = opened("medhalltune", {"path": str(tmp_path), "text_only": True}, storage)
    (question,) = benchmark.questions()
    assert (question.question, question.truth, question.kind) == ("Is it a ring?", "", "open")
    assert any(note.startswith("1 questions have no reference answer") for note in benchmark.notes())
    data, told = benchmark.official_files([answered(question, "No.", None)])["positive.jsonl"]
    assert told == "1 of 1 rows"
    assert json.loads(data) == {
        "question_id": 4, "image": "a.jpg", "question": "Is it a ring?", "answer": "No.",
    }  # fmt: skip


def official_samples(path: Path) -> list[dict[str, Any]]:
    """As the official script reads its input and makes a judge's prompt of it: these keys, each line an object."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        assert all(isinstance(row[key], str) for key in ("question", "answer", "gpt4_answer", "image"))
        assert {"question_id", "fig_caption"} <= row.keys()
    return rows


def test_what_is_written_is_the_official_rows_with_our_answers(
    open_one: Open, tmp_path: Path, storage: Storage
) -> None:
    benchmark: Any = open_one("medhalltune")
    asked = list(benchmark.questions())
    replies = {q.row_id: f"A “ring”, {q.row_id}\nand more." for q in asked}
    files = benchmark.official_files([answered(q, replies[q.row_id], None) for q in reversed(asked)])
    assert {name: told for name, (_, told) in files.items()} == {
        "positive.jsonl": "3 of 3 rows", "negative.jsonl": "2 of 2 rows",
    }  # fmt: skip
    for name, (data, _) in files.items():
        (tmp_path / name).write_bytes(data)
    for split in ("positive", "negative"):
        rows = official_samples(tmp_path / f"{split}.jsonl")
        mine = [q for q in asked if q.row_id.startswith(split)]
        assert [f"{split}/{row['question_id']}" for row in rows] == [q.row_id for q in mine]
        assert [row["answer"] for row in rows] == [replies[q.row_id] for q in mine]
        assert [row["question"] for row in rows] == [q.question for q in mine]
        assert not any("result" in row for row in rows)
    again = opened("medhalltune", {"path": str(tmp_path), "text_only": True}, storage)
    assert [(q.row_id, q.question, q.truth) for q in again.questions()] == [
        (q.row_id, q.question, q.truth) for q in asked
    ]


def test_a_row_without_a_reply_is_not_written_with_another_model_s(open_one: Open, tmp_path: Path) -> None:
    benchmark: Any = open_one("medhalltune")
    asked = list(benchmark.questions())
    rows = [answered(asked[0], None, "timeout"), answered(asked[1], "", None)]
    files = benchmark.official_files(rows)
    data, told = files["positive.jsonl"]
    assert told == "1 of 3 rows; 2 without a reply are not in it"
    assert [json.loads(line)["answer"] for line in data.splitlines()] == [""]
    assert files["negative.jsonl"] == (b"", "0 of 2 rows; 2 without a reply are not in it")


def official_means(path: Path) -> list[float]:
    """As the official script reads the judge: the first line, at its spaces four whole numbers; their means."""
    lines = [json.loads(line)["result"].split("\n")[0] for line in path.read_text("utf-8").splitlines()]
    scores = [[int(score) for score in line.split(" ")] for line in lines]
    assert all(len(four) == 4 for four in scores)
    return [sum(of) / len(of) for of in zip(*scores, strict=True)]


def test_what_judges_said_is_written_beside_as_the_official_judge_says_it(
    open_one: Open, tmp_path: Path
) -> None:
    benchmark: Any = open_one("medhalltune")
    asked = list(benchmark.questions())
    plain = [answered(q, "A ring.", None) for q in asked]
    said = [
        (Judgement("one (gpt)", 7, 8, 6, 9, why="It is a ring."), Judgement("two", 2.5, 3, 1.4, 10)),
        (Judgement("one (gpt)", failure="timeout"), Judgement("two", 4, 3, 1, 8)),
        (Judgement("one (gpt)", 9, 8, 6, 7),),
    ]
    judged = [replace(row, judgements=given) for row, given in zip(plain, said, strict=False)]
    files = benchmark.official_files([*judged, *plain[3:]])
    assert {name: files[name] for name in ("positive.jsonl", "negative.jsonl")} == benchmark.official_files(
        plain
    )
    assert files["one/positive.jsonl"][1] == (
        "2 of 3 rows, one (gpt)'s scores in whole points; 1 without scores of one (gpt) are not in it"
    )
    first, _ = map(json.loads, files["one/positive.jsonl"][0].splitlines())
    assert (first["result"], first["answer"]) == ("7 8 6 9\n\nIt is a ring.", "A ring.")
    assert read_official(first["result"], "j").scores == (7, 8, 6, 9)
    for judge, due in (("one", [8, 8, 6, 8]), ("two", [3.5, 3, 1, 9])):
        (tmp_path / judge).write_bytes(files[f"{judge}/positive.jsonl"][0])
        assert official_means(tmp_path / judge) == due
    assert files["two/negative.jsonl"] == (
        b"", "0 of 2 rows, two's scores in whole points; 2 without scores of two are not in it"
    )  # fmt: skip


def test_predictions_of_other_rows_are_refused(open_one: Open, tmp_path: Path, storage: Storage) -> None:
    benchmark: Any = open_one("medhalltune")
    first = answered(next(benchmark.questions()), "Yes.", None)
    with pytest.raises(InputError, match="two predictions for row 'positive/0'"):
        benchmark.official_files([first, first])
    smaller = opened("medhalltune", medhalltune(tmp_path / "less", lambda rows: rows[1:]), storage)
    with pytest.raises(InputError, match="no row 'positive/0'"):
        smaller.official_files([first])
