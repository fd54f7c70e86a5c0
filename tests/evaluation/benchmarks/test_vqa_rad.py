"""VQA-RAD as it is on OSF, and by lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.errors import InputError
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened, reasons
from tests.evaluation.benchmarks.made import vqa_rad, vqa_rad_rows, write_images, write_json, write_lines


def test_a_row_becomes_a_question(open_one: Open) -> None:
    closed, counted, *_ = open_one("vqa_rad").questions()
    assert (closed.row_id, closed.truth, closed.kind, closed.polarity) == ("0", "No", "closed", "no")
    assert closed.question == "Is blob 0 bright? Answer with yes or no."
    assert (closed.type, closed.site, closed.group) == ("PRES", "abdomen", "https://example.org/case?id=0")
    assert (counted.truth, counted.kind, counted.polarity) == ("2", "open", None)
    assert counted.question == "How many blobs are in row 0?"


def test_the_official_split_is_in_the_rows_and_what_it_shares_is_said(open_one: Open) -> None:
    benchmark = open_one("vqa_rad")
    assert {q.image_id for q in benchmark.questions()} == {f"synthetic{n}.jpg" for n in range(3)}
    train = list(open_one("vqa_rad", split="train").questions())
    assert {q.image_id for q in train} == {f"synthetic{n}.jpg" for n in (1, 2, 3)}
    notes = benchmark.notes()
    assert "leakage: 2 of the 3 images of test also stand in train, by name" in notes
    assert "leakage: 1 of the 1 groups of test also stand in train" in notes
    assert "rows in this copy: train 6, test 6" in notes
    assert not any("203" in note for note in notes)


def test_lines_with_one_split_say_that_nothing_can_be_compared(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path / "images", ["a.jpg"])
    write_lines(tmp_path / "test.jsonl", vqa_rad_rows("test_para", ["a.jpg"]))
    for path in (tmp_path, tmp_path / "test.jsonl"):
        benchmark = opened("vqa_rad", {"path": str(path), "suffix": ""}, storage)
        assert [q.question for q in benchmark.questions()] == [
            "Is blob 0 bright?",
            "How many blobs are in row 0?",
        ]
        notes = benchmark.notes()
        assert any(note.startswith("leakage: no split but test is here") for note in notes)
        assert any(note.startswith("leakage: in the release 202 of the 203 images of test") for note in notes)
    with pytest.raises(InputError, match="no rows to ask"):
        list(opened("vqa_rad", {"path": str(tmp_path), "split": "train"}, storage).questions())


def test_odd_rows_are_counted_by_reason(tmp_path: Path, storage: Storage) -> None:
    def odd(rows: list[dict[str, object]]) -> list[dict[str, object]]:
        one = rows[0]
        return [
            *rows,
            one | {"phrase_type": "mystery"},
            one | {"answer": None},
            one | {"answer": float("nan")},
            one | {"answer": ["Yes"]},
            one | {"question": "\ud800?"},
            [one],  # type: ignore[list-item]
            one | {"answer_type": "CLOSED", "answer": "both", "qid": 900},
        ]

    benchmark = opened("vqa_rad", vqa_rad(tmp_path, odd) | {"max_refused": 0.9}, storage)
    assert reasons(benchmark) == {
        "empty_answer": 2, "unknown_phrase_type": 1, "not_text": 1, "not_unicode": 1, "not_an_object": 1,
    }  # fmt: skip
    both = list(benchmark.questions())[-1]
    assert (both.kind, both.polarity, both.question) == ("closed", None, "Is blob 0 bright?")


def test_an_id_that_comes_again_is_told_apart(tmp_path: Path, storage: Storage) -> None:
    benchmark = opened("vqa_rad", vqa_rad(tmp_path, lambda rows: [*rows, rows[0]]), storage)
    assert [q.row_id for q in benchmark.questions()][-1] == "0 (VQA_RAD Dataset Public.json:9)"
    assert any(note.startswith("1 rows have the id of an earlier one") for note in benchmark.notes())


def test_a_copy_without_images_is_refused_with_the_remedy(tmp_path: Path, storage: Storage) -> None:
    write_lines(tmp_path / "test.jsonl", vqa_rad_rows("test_para", ["a.jpg"]))
    with pytest.raises(InputError, match=r"no images\. Looked in .*VQA_RAD Image Folder.*text_only=true"):
        list(opened("vqa_rad", {"path": str(tmp_path)}, storage).questions())
    with pytest.raises(InputError, match="no images"):
        list(opened("vqa_rad", {"path": str(tmp_path), "images": str(tmp_path / "x")}, storage).questions())


def test_a_broken_list_is_told(tmp_path: Path, storage: Storage) -> None:
    write_json(tmp_path / "VQA_RAD Dataset Public.json", vqa_rad_rows("test_para", ["a.jpg"]))
    file = tmp_path / "VQA_RAD Dataset Public.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(InputError, match="not a whole JSON list"):
        list(opened("vqa_rad", {"path": str(tmp_path), "text_only": True}, storage).questions())
    file.write_bytes(b"[\xff]")
    with pytest.raises(InputError, match="not UTF-8"):
        list(opened("vqa_rad", {"path": str(tmp_path), "text_only": True}, storage).questions())
