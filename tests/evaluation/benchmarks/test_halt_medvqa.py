"""HALT-MedVQA: its three parts, each with its own right answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mht.errors import InputError
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened, reasons
from tests.evaluation.benchmarks.made import halt_medvqa, write_json


def test_the_right_answer_of_each_part(open_one: Open) -> None:
    found = {q.row_id: q for q in open_one("halt_medvqa").questions()}
    assert set(found) == {"fake/0", "fake/1", "none/0", "none/1", "swap/0", "swap/1"}
    assert {key: q.truth for key, q in found.items() if key.endswith("0")} == {
        "fake/0": "I do not know", "none/0": "None of the above", "swap/0": "I do not know",
    }  # fmt: skip
    assert {q.type for q in found.values()} == {"fake_question", "none_of_the_above", "swapped_image"}
    none = found["none/0"]
    assert none.options == ("A ring", "None of the above", "A cross", "A dot")
    assert none.question.startswith("What is in PMC7_Fig1.jpg?\nA. A ring\nB. None of the above\n")
    assert all(q.state is None and q.kind == "choice" for q in found.values())


def test_parts_are_chosen(open_one: Open) -> None:
    benchmark = open_one("halt_medvqa", split=["swap"])
    assert [q.row_id for q in benchmark.questions()] == ["swap/0", "swap/1"]
    notes = open_one("halt_medvqa").notes()
    assert "shared: 1 of the 2 images of fake also stand in swap, by name" in notes
    assert not any(note.startswith("leakage") for note in notes)


def test_images_are_gathered_from_several_folders(tmp_path: Path, storage: Storage) -> None:
    params = halt_medvqa(tmp_path)
    (tmp_path / "pmc").mkdir()
    for name in ("PMC7_Fig1.jpg", "PMC7_Fig2.jpg"):
        (tmp_path / "images" / name).rename(tmp_path / "pmc" / name)
    both = opened("halt_medvqa", params | {"images": [params["images"], str(tmp_path / "pmc")]}, storage)
    assert len(list(both.questions())) == 6
    assert reasons(opened("halt_medvqa", params | {"max_refused": 0.5}, storage)) == {"image_missing": 2}


def test_rows_that_are_not_of_the_part_are_refused(tmp_path: Path, storage: Storage) -> None:
    def odd(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [
            *rows,
            rows[0] | {"answer_id": "A"},
            rows[0] | {"answer_id": "Q"},
            rows[0] | {"option": ["I do not know"]},
            rows[0] | {"option": {"B": "I do not know"}},
            "no row",  # type: ignore[list-item]
        ]

    benchmark = opened("halt_medvqa", halt_medvqa(tmp_path, odd) | {"max_refused": 0.9}, storage)
    assert reasons(benchmark) == {
        "unexpected_answer": 1, "answer_is_no_option": 1, "no_options": 2, "not_an_object": 1,
    }  # fmt: skip


def test_a_file_of_something_else_is_told(tmp_path: Path, storage: Storage) -> None:
    write_json(tmp_path / "fake_qa_shuffle.json", "words")
    with pytest.raises(InputError, match="neither a list nor an object"):
        list(opened("halt_medvqa", {"path": str(tmp_path), "text_only": True}, storage).questions())
    (tmp_path / "fake_qa_shuffle.json").write_text("{")
    with pytest.raises(InputError, match="not whole JSON"):
        list(opened("halt_medvqa", {"path": str(tmp_path), "text_only": True}, storage).questions())
