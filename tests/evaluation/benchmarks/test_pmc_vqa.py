"""PMC-VQA: both versions of its tables."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.errors import InputError
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened, reasons
from tests.evaluation.benchmarks.made import pmc_vqa, pmc_vqa_rows, write_csv, write_images


def test_a_row_becomes_a_choice(open_one: Open) -> None:
    found = list(open_one("pmc_vqa").questions())
    second = found[1]
    assert (second.row_id, second.kind, second.group) == ("test/2", "choice", "PMC100")
    assert second.options == ("Part A, \nof 1", "Part B, \nof 1", "Part C, \nof 1", "Part D, \nof 1")
    assert second.truth == "Part B, \nof 1"
    assert second.question == (
        "Which part is marked\nin figure 1?\nA. Part A, \nof 1\nB. Part B, \nof 1\nC. Part C, \nof 1\nD. Part D, \nof 1"
        "\nAnswer with the option's letter from the given choices directly."
    )


def test_articles_that_stand_in_two_splits_are_told(open_one: Open) -> None:
    notes = open_one("pmc_vqa").notes()
    assert "leakage: 1 of the 4 images of test also stand in train, by name" in notes
    assert "leakage: 1 of the 2 groups of test also stand in train" in notes


def test_the_second_version_tells_the_letter_as_its_answer(tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path / "figures", ["PMC1_Fig1.jpg"])
    (row,) = pmc_vqa_rows(["PMC1_Fig1.jpg"])
    del row["Answer_label"]
    rows = [{"index": 7, "Caption": "Shapes."} | row | {"Answer": "C", "split": "test"}]
    write_csv(tmp_path / "test_2.csv", rows)
    benchmark = opened("pmc_vqa", {"path": str(tmp_path), "split": "test_2"}, storage)
    (question,) = benchmark.questions()
    assert (question.truth, question.caption, question.row_id) == ("Part C, \nof 0", "Shapes.", "test_2/1")


def test_an_answer_that_is_no_option_is_refused(tmp_path: Path, storage: Storage) -> None:
    def odd(rows: list[dict[str, str]]) -> list[dict[str, str]]:
        fewer = {"Choice C": "", "Choice D": ""}
        return [*rows, rows[0] | {"Answer_label": "E"}, rows[2] | fewer, rows[1] | fewer]

    benchmark = opened("pmc_vqa", pmc_vqa(tmp_path, odd) | {"max_refused": 0.5}, storage)
    assert [len(q.options or ()) for q in benchmark.questions()] == [4, 4, 4, 4, 2]
    assert reasons(benchmark) == {"answer_is_no_option": 2}


def test_lines_with_too_few_or_too_many_fields_are_counted(tmp_path: Path, storage: Storage) -> None:
    params = pmc_vqa(tmp_path)
    file = tmp_path / "test.csv"
    file.write_text(file.read_text() + "PMC1.jpg,Too few\n" + ",".join("x" * 20) + "\n")
    benchmark = opened("pmc_vqa", params | {"max_refused": 0.5}, storage)
    assert len(list(benchmark.questions())) == 4
    assert reasons(benchmark) == {"wrong_number_of_fields": 2}
    file.write_text(file.read_text() + '"never closed')
    with pytest.raises(InputError, match=r"test\.csv', line \d+"):
        list(opened("pmc_vqa", params, storage).questions())
