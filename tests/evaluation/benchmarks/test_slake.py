"""SLAKE: its languages, its splits, its open and closed questions."""

from __future__ import annotations

from pathlib import Path

from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened, path_of, reasons
from tests.evaluation.benchmarks.made import slake


def test_a_row_becomes_a_question(open_one: Open) -> None:
    closed, opened_, *_ = open_one("slake").questions()
    assert closed.question == "Is shape 0 round? Answer with yes or no."
    assert (closed.image_id, closed.modality, closed.site, closed.type) == (
        "case0/source.jpg", "CT", "Abdomen", "Shape",
    )  # fmt: skip
    assert (closed.kind, closed.truth, closed.polarity) == ("closed", "No", "no")
    assert (opened_.kind, opened_.truth, opened_.question) == ("open", "A ring", "Which shape is in place 0?")


def test_languages_are_chosen_and_the_others_counted(open_one: Open) -> None:
    assert len(list(open_one("slake", languages=["zh"]).questions())) == 2
    both = open_one("slake", languages=["en", "zh"])
    assert len(list(both.questions())) == 8
    notes = open_one("slake").notes()
    assert "rows in this copy: train 4, validation 2, test 6, test (zh) 2" in notes
    assert [note for note in notes if note.startswith("leakage")] == [
        "leakage: 1 of the 3 images of test also stand in train, by name",
        "leakage: 0 of the 3 images of test also stand in validation, by name",
    ]


def test_the_hub_s_name_of_the_validation_split(tmp_path: Path, storage: Storage) -> None:
    params = slake(tmp_path)
    folder = tmp_path / "Slake1.0"
    (folder / "validate.json").rename(folder / "validation.json")
    benchmark = opened("slake", params | {"split": "validation"}, storage)
    assert {q.image_id for q in benchmark.questions()} == {"case3/source.jpg"}


def test_a_language_that_is_not_known_is_refused(tmp_path: Path, storage: Storage) -> None:
    params = slake(tmp_path, lambda rows: [rows[0] | {"q_lang": "xx"}, *rows[1:]])
    assert reasons(opened("slake", params | {"max_refused": 0.5}, storage)) == {"unknown_language": 1}


def test_the_file_itself_is_a_path(copies: dict[str, dict[str, str]], storage: Storage) -> None:
    file = path_of(copies, "slake") / "Slake1.0" / "test.json"
    assert len(list(opened("slake", {"path": str(file)}, storage).questions())) == 6
