"""Tables of one's own."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mht.errors import InputError
from mht.evaluation.benchmarks.table import Params
from mht.questions import Question
from mht.storage import Storage
from tests.dataset.small import picture
from tests.evaluation.benchmarks.conftest import opened, reasons
from tests.evaluation.benchmarks.made import IMAGE, write_csv, write_images, write_lines, write_parquet

ROW = {"image": "a.jpg", "question": "Is it round?", "answer": "Yes."}


def asked(storage: Storage, path: Any, **given: Any) -> list[Question]:
    return list(opened("table", {"path": str(path), **given}, storage).questions())


def test_columns_are_named(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path / "pictures", ["a.jpg"])
    row = {
        "file": "a.jpg",
        "q": "Is the ring bright?",
        "a": "Yes, it is.",
        "nr": 7,
        "who": "p1",
        "how": "OPEN",
    }
    write_csv(tmp_path / "rows.csv", [row | {"prem": "the bright ring", "st": "faithful", "yn": "yes"}])
    (question,) = asked(
        storage, tmp_path / "rows.csv", name="mine", image="file", question="q", answer="a", id="nr", group="who",
        kind="how", images=str(tmp_path / "pictures"), suffix="Say yes or no.",
        columns={"premise": "prem", "state": "st", "polarity": "yn"},
    )  # fmt: skip
    assert (question.benchmark, question.row_id, question.group, question.image_id) == (
        "mine",
        "7",
        "p1",
        "a.jpg",
    )
    assert (question.premise, question.state, question.polarity) == ("the bright ring", "faithful", "yes")
    assert (question.kind, question.question) == ("open", "Is the ring bright?")


@pytest.mark.parametrize("answer", ["B", "b.", "a cross", "A cross"])
def test_the_answer_to_a_choice_is_its_text_or_its_letter(
    answer: str, tmp_path: Path, storage: Storage
) -> None:
    write_images(tmp_path, ["a.jpg"])
    rows = [
        ROW
        | {"answer": answer, "options": ["A ring", "A cross"], "one": "A ring", "two": "A cross", "three": ""}
    ]
    write_lines(tmp_path / "rows.jsonl", rows)
    for options in ("options", ["one", "two", "three"]):
        (question,) = asked(storage, tmp_path / "rows.jsonl", options=options, suffix="Pick one.")
        assert (question.truth, question.kind, question.options) == (
            "A cross",
            "choice",
            ("A ring", "A cross"),
        )
        assert question.question == "Is it round?\nA. A ring\nB. A cross\nPick one."


@pytest.mark.parametrize("empty", ["", "  ", None, math.nan])
def test_the_letter_goes_by_the_place_that_an_option_has_in_the_table(
    empty: str | float | None, tmp_path: Path, storage: Storage
) -> None:
    write_images(tmp_path, ["a.jpg"])
    four = dict(zip("ABCD", [empty, "A ring", empty, "A cross"], strict=True))
    rows = [ROW | four | {"answer": answer, "all": list(four.values())} for answer in ("B", "d)", "A cross")]
    write_lines(tmp_path / "rows.jsonl", rows)
    for options in ("all", list("ABCD")):
        found = asked(storage, tmp_path / "rows.jsonl", options=options)
        assert [question.truth for question in found] == ["A ring", "A cross", "A cross"]
        assert {question.options for question in found} == {("A ring", "A cross")}
        assert found[0].question == "Is it round?\nA. A ring\nB. A cross"


def test_an_answer_that_names_an_empty_option_is_refused(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, ["a.jpg"])
    four = {"A": "", "B": "A ring", "C": "A cross", "D": ""}
    write_csv(tmp_path / "rows.csv", [ROW | four | {"answer": letter} for letter in "ABCDE"])
    given = {"path": f"{tmp_path}/rows.csv", "options": list("ABCD"), "max_refused": 0.9}
    benchmark = opened("table", given, storage)
    found = [(question.row_id, question.truth) for question in benchmark.questions()]
    assert found == [("rows.csv:2", "A ring"), ("rows.csv:3", "A cross")]
    assert reasons(benchmark) == {"answer_is_no_option": 3}


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ("faithful", "faithful"),
        (" Faithful ", "faithful"),
        ("POSITIVE", "faithful"),
        ("Hallucinated", "hallucinated"),
        ("negative", "hallucinated"),
        (" ", None),
    ],
)
def test_a_state_is_read_in_any_case_and_by_the_names_of_medhalltune(
    given: str, state: str | None, tmp_path: Path, storage: Storage
) -> None:
    write_images(tmp_path, ["a.jpg"])
    write_csv(tmp_path / "rows.csv", [ROW | {"label": given}])
    (question,) = asked(storage, tmp_path / "rows.csv", columns={"state": "label"})
    assert question.state == state


@pytest.mark.parametrize(("given", "risk"), [("High", "high"), (" none", "none"), ("CRITICAL", "critical")])
def test_a_risk_is_read_in_any_case(given: str, risk: str, tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, ["a.jpg"])
    write_csv(tmp_path / "rows.csv", [ROW | {"grade": given}])
    (question,) = asked(storage, tmp_path / "rows.csv", columns={"risk": "grade"})
    assert question.risk == risk


def test_a_state_or_a_risk_that_is_none_of_ours_is_refused(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, ["a.jpg"])
    words = [("true", "low"), ("faithfull", "low"), ("faithful", "medium"), ("faithful", "low")]
    write_csv(tmp_path / "rows.csv", [ROW | {"state": state, "risk": risk} for state, risk in words])
    given = {"path": f"{tmp_path}/rows.csv", "columns": {"state": "state", "risk": "risk"}}
    benchmark = opened("table", given | {"max_refused": 0.9}, storage)
    assert [(question.state, question.risk) for question in benchmark.questions()] == [("faithful", "low")]
    assert reasons(benchmark) == {"unknown_state": 2, "unknown_risk": 1}
    with pytest.raises(InputError, match=r"'medium'; it is one of none, low, moderate, high, critical"):
        asked(storage, **given)


def test_parquet_holds_its_images(tmp_path: Path, storage: Storage) -> None:
    rows = [ROW | {"image": {"bytes": picture(n)[1], "path": "same.jpg"}, "n": n} for n in (1, 2, 1)]
    write_parquet(tmp_path / "test-0.parquet", rows, image=IMAGE)
    write_parquet(tmp_path / "train-0.parquet", rows[:1], image=IMAGE)
    benchmark = opened("table", {"path": str(tmp_path), "split": "test"}, storage)
    found = list(benchmark.questions())
    assert benchmark.images(found) == [picture(n)[1] for n in (1, 2, 1)]
    assert found[0].image_id == found[2].image_id != found[1].image_id
    assert "leakage: 1 of the 2 images of test also stand in train, by bytes" in benchmark.notes()
    with pytest.raises(InputError, match=r"no table of split 'dev'.*test, train"):
        asked(storage, tmp_path, split="dev")
    assert len(asked(storage, tmp_path)) == 4


def test_without_images(tmp_path: Path, storage: Storage) -> None:
    write_lines(tmp_path / "rows.jsonl", [{"question": "Is it?", "answer": "No."}])
    (question,) = asked(storage, tmp_path, image=None, text_only=True)
    assert (question.image, question.image_id) == (None, "rows.jsonl:1")
    with pytest.raises(ValidationError, match="text_only=true"):
        Params(path="x", image=None)


def test_odd_rows_are_counted_by_reason(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, ["a.jpg"])
    (tmp_path / "empty.jpg").write_bytes(b"")
    outside = tmp_path / "link.jpg"
    outside.symlink_to("/etc/hostname")
    rows = [
        ROW,
        ROW | {"image": "empty.jpg"},
        ROW | {"image": "link.jpg"},
        ROW | {"image": 3},
        ROW | {"image": None},
        ROW | {"yn": "perhaps"},
        {"image": "a.jpg", "question": "Is it?"},
    ]
    file = Path(write_lines(tmp_path / "rows.jsonl", [{"yn": None} | row for row in rows]))
    file.write_text(file.read_text() + "{\n\n")
    benchmark = opened(
        "table",
        {"path": f"{tmp_path}/rows.jsonl", "max_refused": 0.9, "columns": {"polarity": "yn"}},
        storage,
    )
    assert reasons(benchmark) == {
        "image_empty": 1, "image_outside_its_folder": 1, "not_an_image": 1, "image_not_named": 1,
        "polarity_neither_yes_nor_no": 1, "no_such_column": 1, "not_json": 1,
    }  # fmt: skip


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, ["a.jpg"])
    write_parquet(tmp_path / "rows.parquet", [ROW])
    with pytest.raises(InputError, match=r"no_such_column 1 .*'prompt'"):
        asked(storage, tmp_path, question="prompt")
