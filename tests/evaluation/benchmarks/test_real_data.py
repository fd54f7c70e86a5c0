"""The releases that lie beside the checkout, where they do."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from mht.evaluation.metrics import polarity
from mht.predictions import score
from mht.questions import answered
from mht.storage import Storage
from tests.evaluation.benchmarks.conftest import opened


def test_every_question_of_vqa_rad_is_asked_with_its_image(reference_data: Path, storage: Storage) -> None:
    benchmark = opened("vqa_rad", {"path": str(reference_data / "vqa_rad"), "split": "train"}, storage)
    found = list(benchmark.questions())
    assert Counter(q.kind for q in found) == {"closed": 1_027, "open": 770}
    assert Counter(q.polarity for q in found if q.kind == "closed") == {"no": 473, "yes": 469, None: 85}
    assert sum(q.question.endswith(" Answer with yes or no.") for q in found) == 942
    assert len({q.image_id for q in found}) == 313
    images = benchmark.images(found[:40])
    assert all(isinstance(image, bytes) and image[:3] == b"\xff\xd8\xff" for image in images)
    assert benchmark.notes()[0].startswith(
        "vqa_rad, train: 1,797 questions (1,027 closed, 770 open) of 1,797 rows"
    )


def test_closed_questions_and_their_truths_agree_in_polarity(reference_data: Path, storage: Storage) -> None:
    found = opened(
        "vqa_rad", {"path": str(reference_data / "vqa_rad"), "split": "train"}, storage
    ).questions()
    rows = [answered(q, q.truth, None) for q in found if q.kind == "closed"]
    right = score(polarity.measure(rows, polarity.Params())[0])
    assert (right.value, right.n, right.n_asked) == (1.0, 942, 942)


@pytest.fixture
def medhalltune(reference_data: Path, storage: Storage) -> Any:
    return opened("medhalltune", {"path": str(reference_data / "medhalltune"), "text_only": True}, storage)


def test_both_halves_of_medhalltune_are_asked(medhalltune: Any) -> None:
    found = list(medhalltune.questions())
    assert Counter(q.state for q in found) == {"faithful": 556, "hallucinated": 561}
    assert "shared: 0 of the 99 images of positive also stand in negative, by name" in medhalltune.notes()
    assert all(q.truth and q.caption and "<image>" not in q.question for q in found)


def test_the_official_file_holds_the_official_rows(medhalltune: Any, reference_data: Path) -> None:
    """With the released model's answers as our replies the files are the released ones without the judge's words."""
    answers = {}
    for split in ("positive", "negative"):
        rows = (reference_data / "medhalltune" / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()
        answers |= {f"{split}/{row['question_id']}": row for row in map(json.loads, rows)}
    predictions = [answered(q, answers[q.row_id]["answer"], None) for q in medhalltune.questions()]
    files = medhalltune.official_files(predictions)
    assert [told for _, told in files.values()] == ["556 of 556 rows", "561 of 561 rows"]
    for split in ("positive", "negative"):
        for row in map(json.loads, files[f"{split}.jsonl"][0].splitlines()):
            released = answers[f"{split}/{row['question_id']}"]
            assert row == {name: value for name, value in released.items() if name != "result"}
            assert list(row) == [name for name in released if name != "result"]


def test_a_table_of_vqa_rad_asks_the_same(reference_data: Path, storage: Storage) -> None:
    folder = reference_data / "vqa_rad"
    mine = opened("vqa_rad", {"path": str(folder), "split": "train"}, storage)
    params = {"image": "image_name", "images": str(folder / "images"), "id": "qid", "kind": "answer_type"}
    other = opened(
        "table", {"path": str(folder / "train.jsonl"), "suffix": "Answer with yes or no.", **params}, storage
    )
    told = [(q.row_id, q.image, q.question, q.truth, q.kind, q.polarity) for q in mine.questions()]
    assert [(q.row_id, q.image, q.question, q.truth, q.kind, q.polarity) for q in other.questions()] == told
