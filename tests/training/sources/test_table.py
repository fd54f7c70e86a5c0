"""Tables: columns by name, held and named images, Hugging Face's own files, real questions and captions."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pydantic import ValidationError

from mht.errors import InputError
from mht.model.examples import Example
from mht.storage import Storage
from mht.training.sources._unfit import Unfit
from mht.training.sources.table import Params, Source, understand
from tests.training.sources.made import IMAGE_TYPE, jpeg, write_images, write_lines, write_parquet
from tests.training.sources.test_json import VALUES

PARAMS = Params(path="x.jsonl", rejected="wrong", id="name", group="patient")


def examples(source: Source) -> list[Example]:
    return [e for shard in source.shards() for e in source.read(shard.name, shard.example_ids, 0)]


def test_columns_by_name() -> None:
    row = {
        "image": "a.jpg",
        "question": "<image>\nIs it?",
        "answer": 3,
        "wrong": 4.5,
        "name": 1,
        "patient": "p",
    }
    found = understand(row, PARAMS)
    assert (found.turns[0].question, found.turns[0].answer) == ("Is it?", "3")
    assert (found.image, found.rejected, found.id, found.group) == ("a.jpg", "4.5", 1, "p")


@pytest.mark.parametrize("wrong", [None, ""])
def test_a_wrong_answer_may_be_missing(wrong: Any) -> None:
    assert understand({"question": "Is it?", "answer": "Yes", "wrong": wrong}, PARAMS).rejected is None


@pytest.mark.parametrize(
    ("reason", "changed"),
    [
        ("empty_question", {"question": ""}),
        ("empty_answer", {"answer": None}),
        ("empty_answer", {"answer": float("nan")}),
        ("not_text", {"answer": True}),
        ("not_text", {"answer": b"Yes"}),
        ("several_images", {"image": ["a.jpg", "b.jpg"]}),
        ("image_not_jpeg_or_png", {"image": b"GIF89a"}),
        ("image_not_jpeg_or_png", {"image": {"bytes": b"", "path": "a.jpg"}}),
        ("image_in_answer", {"wrong": "<image> No"}),
    ],
)
def test_what_cannot_be_learnt_has_a_reason(reason: str, changed: dict[str, Any]) -> None:
    with pytest.raises(Unfit) as caught:
        understand({"image": "a.jpg", "question": "Is it?", "answer": "Yes", **changed}, PARAMS)
    assert caught.value.reason == reason


@given(st.dictionaries(st.sampled_from(["image", "question", "answer", "wrong", "name", "patient"]), VALUES))
def test_whatever_a_row_holds_it_is_understood_or_unfit(row: dict[str, Any]) -> None:
    try:
        found = understand(row, PARAMS)
    except Unfit:
        return
    assert all(turn.question and turn.answer for turn in found.turns)


@pytest.mark.parametrize("given_", [{"question": None}, {"ask": "What?"}, {"question": None, "ask": ""}])
def test_something_must_be_asked(given_: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"ask"):
        Params(path="x", **given_)
    assert Params(path="x", question=None, ask="What?", image=None).ask == "What?"


def test_held_images_are_the_same_by_their_bytes_not_by_their_path(tmp_path: Path, storage: Storage) -> None:
    one, two = jpeg(1), jpeg(2)
    held = [(one, "image.jpg"), (two, "image.jpg"), (one, "other.jpg"), (one, None), (two, "image.jpg")]
    rows = [
        {"image": {"bytes": data, "path": path}, "question": f"{i}?", "answer": "Yes"}
        for i, (data, path) in enumerate(held)
    ]
    write_parquet(tmp_path / "data" / "train-0.parquet", rows[:3], image=IMAGE_TYPE)
    write_parquet(tmp_path / "data" / "train-1.parquet", rows[3:], image=IMAGE_TYPE)
    found = examples(Source(Params(path=str(tmp_path)), storage))
    assert [(e.image, [x.turns[0].question for x in e.exchanges]) for e in found] == [
        (one, ["0?", "2?", "3?"]),
        (two, ["1?", "4?"]),
    ]
    assert [x.exchange_id for x in found[0].exchanges] == [
        "data/train-0.parquet:1",
        "data/train-0.parquet:3",
        "data/train-1.parquet:1",
    ]


@pytest.mark.parametrize("kind", ["path", "struct of path", "bytes"])
def test_an_image_is_a_path_or_bytes(kind: str, tmp_path: Path, storage: Storage) -> None:
    write_images(tmp_path, "images/a.jpg", "images/b.png")
    names = ["images/a.jpg", "images/b.png", "./images/../images/a.jpg"]
    values: dict[str, list[Any]] = {
        "path": list(names),
        "struct of path": [{"bytes": None, "path": name} for name in names],
        "bytes": [(tmp_path / name).read_bytes() for name in names],
    }
    types = {"path": pa.string(), "struct of path": IMAGE_TYPE, "bytes": pa.binary()}
    rows = [{"picture": v, "question": f"{i}?", "answer": "Yes"} for i, v in enumerate(values[kind])]
    path = write_parquet(tmp_path / "t.parquet", rows, picture=types[kind])
    found = examples(Source(Params(path=path, image="picture"), storage))
    assert [(e.image, len(e.exchanges)) for e in found] == [(jpeg(0), 2), (jpeg(1, "png"), 1)]


def test_a_column_that_is_not_there_is_told_with_those_that_are(tmp_path: Path, storage: Storage) -> None:
    path = write_parquet(tmp_path / "t.parquet", [{"question": "Is it?", "reply": "Yes", "image": "a"}])
    with pytest.raises(InputError, match=r"no column 'answer'\. There are: question, reply, image"):
        Source(Params(path=path), storage).shards()


@pytest.mark.parametrize("data", [b"", b"PAR1 and nothing", b"PAR1" * 100])
def test_a_damaged_table_is_told(data: bytes, tmp_path: Path, storage: Storage) -> None:
    (tmp_path / "t.parquet").write_bytes(data)
    with pytest.raises(InputError, match=r"t\.parquet.*: not a whole Parquet file"):
        Source(Params(path=str(tmp_path)), storage).shards()


def test_rows_of_a_group_are_held_out_together(tmp_path: Path, storage: Storage) -> None:
    rows = []
    for number in range(60):
        write_images(tmp_path, f"{number}.jpg")
        rows.append({"image": f"{number}.jpg", "question": "Is it?", "answer": "Yes", "case": number // 6})
    path = write_lines(tmp_path / "t.jsonl", rows)
    source = Source(Params(path=path, group="case", validation_share=0.3), storage)
    trained = {int(e.example_id[:-4]) // 6 for e in examples(source)}
    held_out = {int(row.example_id[:-4]) // 6 for row in source.held_out(100, "validation")}
    assert trained | held_out == set(range(10))
    assert not trained & held_out
    assert held_out


def test_what_datasets_writes_is_read(tmp_path: Path, storage: Storage) -> None:
    datasets = pytest.importorskip("datasets")
    images = [Image.open(io.BytesIO(jpeg(i, "png"))) for i in (1, 2, 1)]
    features = datasets.Features(
        {"image": datasets.Image(), "question": datasets.Value("string"), "answer": datasets.Value("string")}
    )
    rows = {"image": images, "question": ["0?", "1?", "2?"], "answer": ["Yes", "No", "Yes"]}
    made = datasets.Dataset.from_dict(rows, features=features)
    made.to_parquet(str(tmp_path / "train-00000-of-00001.parquet"))
    found = examples(Source(Params(path=str(tmp_path)), storage))
    assert [[x.turns[0].question for x in e.exchanges] for e in found] == [["0?", "2?"], ["1?"]]
    pixels = [Image.open(io.BytesIO(e.image or b"")).tobytes() for e in found]
    assert pixels == [image.tobytes() for image in images[:2]]


def test_real_questions_about_radiographs(reference_data: Path, storage: Storage) -> None:
    folder = reference_data / "vqa_rad"
    given_ = {"path": str(folder / "train.jsonl"), "root": str(folder / "images"), "image": "image_name"}
    source = Source(Params(**given_, id="qid", validation_share=0.1), storage)
    found = examples(source)
    held_out = source.held_out(10_000, "validation")
    assert source.left_out == ""
    assert sum(len(e.exchanges) for e in found) + len(held_out) == 1797
    named = {json.loads(line)["image_name"] for line in (folder / "train.jsonl").read_text().splitlines()}
    assert {e.example_id for e in found} | {row.example_id for row in held_out} == named
    assert not {e.image for e in found} & {row.image for row in held_out}
    assert len({x.exchange_id for e in found for x in e.exchanges}) == 1797 - len(held_out)
    assert all(Image.open(io.BytesIO(e.image or b"")).size for e in found)


def test_real_captions_as_answers(reference_data: Path, storage: Storage) -> None:
    params = Params(
        path=str(reference_data / "medpix" / "captions.jsonl"),
        question=None,
        ask="What does the image show?",
        answer="caption",
        id="id",
        group="case",
        validation_share=0.2,
    )
    source = Source(params, storage)
    found = examples(source)
    held_out = source.held_out(1_000, "validation")
    assert len(found) + len(held_out) == 500
    assert {x.turns[0].question for e in found for x in e.exchanges} == {"What does the image show?"}
    cases = [{name.partition("_")[0] for name in names} for names in (
        {e.exchanges[0].exchange_id for e in found}, {row.exchange.exchange_id for row in held_out})]  # fmt: skip
    assert not cases[0] & cases[1]
