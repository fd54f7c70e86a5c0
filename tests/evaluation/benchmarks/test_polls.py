"""Polls of yes and no."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.errors import InputError
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import Open, opened, path_of, reasons
from tests.evaluation.benchmarks.made import polls


def test_a_row_becomes_a_question(open_one: Open) -> None:
    found = {q.row_id: q for q in open_one("polls").questions()}
    assert {q.type for q in found.values()} == {"shapes_random", "shapes_popular"}
    second = found["shapes_random/1"]
    assert second.question == "Is there a kite in scene 1? Answer with yes or no."
    assert (second.truth, second.polarity, second.kind) == ("no", "no", "closed")


def test_a_file_or_a_pattern_is_a_path_as_well(copies: dict[str, dict[str, str]], storage: Storage) -> None:
    folder = path_of(copies, "polls")
    for path, count in ((folder / "shapes_popular.json", 2), (folder / "*random.jsonl", 3)):
        assert len(list(opened("polls", {"path": str(path)}, storage).questions())) == count
    with pytest.raises(InputError, match=r"no \.jsonl"):
        list(opened("polls", {"path": str(folder / "images")}, storage).questions())


def test_a_label_that_is_neither_is_refused(tmp_path: Path, storage: Storage) -> None:
    params = polls(tmp_path, lambda rows: [rows[0] | {"label": "maybe"}, *rows[1:]])
    assert reasons(opened("polls", params | {"max_refused": 0.5}, storage)) == {"label_neither_yes_nor_no": 1}
