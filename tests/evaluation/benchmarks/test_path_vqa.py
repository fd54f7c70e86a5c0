"""PathVQA: the hub's Parquet, and no pickles."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mht.errors import InputError
from mht.records import Refusal
from mht.storage import Storage
from tests.dataset.small import picture
from tests.evaluation.benchmarks.conftest import Open, opened, reasons
from tests.evaluation.benchmarks.made import IMAGE, path_vqa, path_vqa_rows, write_parquet


def test_a_row_becomes_a_question(open_one: Open) -> None:
    benchmark = open_one("path_vqa")
    found = list(benchmark.questions())
    first, second = found[:2]
    assert first.row_id == "test/test-00000-of-00002-abc.parquet:1"
    assert first.question == "is cell 1 large? Answer with yes or no."
    assert (first.kind, first.polarity, second.kind, second.truth) == ("closed", "yes", "open", "a duct")
    assert first.image_id == second.image_id != found[2].image_id
    assert benchmark.images(found) == [picture(number)[1] for number in (1, 1, 2, 2, 3, 3)]


def test_images_of_two_splits_are_told_by_their_bytes(open_one: Open) -> None:
    notes = open_one("path_vqa").notes()
    assert "leakage: 1 of the 3 images of test also stand in train, by bytes" in notes
    assert "rows in this copy: test 6, train 4" in notes


def test_pickles_are_refused_with_the_remedy(tmp_path: Path, storage: Storage) -> None:
    (tmp_path / "qas").mkdir()
    (tmp_path / "qas" / "test_vqa.pkl").write_bytes(b"cos\nsystem\n(S'touch never'\ntR.")
    with pytest.raises(InputError, match=r"qas/test_vqa\.pkl.*not opened.*Take the Parquet release"):
        list(opened("path_vqa", {"path": str(tmp_path)}, storage).questions())


def test_a_row_without_bytes_is_counted(tmp_path: Path, storage: Storage) -> None:
    rows = path_vqa_rows([1, 2])
    rows[1] = rows[1] | {"image": {"bytes": None, "path": "a.jpg"}}
    rows[2] = rows[2] | {"image": None}
    write_parquet(tmp_path / "test.parquet", rows, image=IMAGE)
    benchmark = opened("path_vqa", {"path": str(tmp_path), "max_refused": 0.5}, storage)
    assert reasons(benchmark) == {"image_not_named": 2}


def test_a_table_that_was_replaced_or_removed_gives_no_images(tmp_path: Path, storage: Storage) -> None:
    benchmark = opened("path_vqa", path_vqa(tmp_path), storage)
    found = list(benchmark.questions())[:1]
    file = tmp_path / "data" / "test-00000-of-00002-abc.parquet"
    pq.write_table(pq.read_table(file).slice(1), file)
    (replaced,) = benchmark.images(found)
    assert isinstance(replaced, Refusal)
    assert replaced.reason == "replaced_since_plan"
    file.unlink()
    (gone,) = benchmark.images(found)
    assert isinstance(gone, Refusal)
    assert gone.reason == "missing_object"


def test_a_damaged_file_is_told(tmp_path: Path, storage: Storage) -> None:
    path_vqa(tmp_path)
    file = tmp_path / "data" / "test-00000-of-00002-abc.parquet"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(InputError, match="not a whole Parquet file"):
        list(opened("path_vqa", {"path": str(tmp_path)}, storage).questions())
