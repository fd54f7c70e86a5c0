"""Our own pairs as a benchmark."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.errors import ConfigError
from mht.storage import Storage
from tests.dataset.small import write_dataset
from tests.evaluation.benchmarks.conftest import Open, opened


def test_the_held_out_split_is_asked_word_for_word(tmp_path: Path, storage: Storage) -> None:
    rows = {row["pair_id"]: row for row in write_dataset(str(tmp_path)) if row["split"] == "test"}
    found = {q.row_id: q for q in opened("pairs", {"path": str(tmp_path)}, storage).questions()}
    assert found.keys() == rows.keys()
    for pair_id, question in found.items():
        row = rows[pair_id]
        assert (question.question, question.truth) == (row["question"], row["answer"])
        for column in (
            "image_id",
            "state",
            "type",
            "form",
            "risk",
            "polarity",
            "premise",
            "rejected",
            "twin_id",
        ):
            assert getattr(question, column) == row[column]
        assert question.caption is not None
        assert question.caption.startswith("Fundus image")


def test_twins_stay_together_and_a_kind_can_be_chosen(open_one: Open) -> None:
    found = list(open_one("pairs").questions())
    states: dict[tuple[str, str | None], list[str | None]] = {}
    for question in found:
        states.setdefault((question.image_id, question.twin_id), []).append(question.state)
    assert list(states.values()) == [["faithful", "hallucinated"]] * 4
    assert {q.kind for q in found} == {"closed"}
    only = list(open_one("pairs", state="hallucinated", type="laterality").questions())
    assert len(only) == 2
    with pytest.raises(ConfigError, match="did you mean 'laterality'"):
        list(open_one("pairs", type="lateralty").questions())


def test_the_splits_share_no_image_and_that_is_said(open_one: Open) -> None:
    notes = open_one("pairs").notes()
    assert (
        notes[0]
        == "pairs, test: 8 questions (4 faithful, 4 hallucinated), 2 twins, on 2 images of run abcdef012345"
    )
    assert "leakage: 0 of the 2 images of test also stand in train, by name" in notes
    assert "leakage: 1 of the 1 groups of test also stand in train" in notes


def test_a_choice_is_one_whose_options_stand_in_the_question(tmp_path: Path, storage: Storage) -> None:
    write_dataset(str(tmp_path), change=lambda rows: [row | {"form": "multiple_choice"} for row in rows])
    found = list(opened("pairs", {"path": str(tmp_path)}, storage).questions())
    assert {(q.kind, q.options) for q in found} == {("choice", None)}
