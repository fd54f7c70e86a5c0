"""Every benchmark keeps the same promises over a small made-up release; a new file is tested by being there."""

from __future__ import annotations

import io
import os
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel, ValidationError

from mht import catalog
from mht.errors import InputError, MhtError
from mht.evaluation.metrics import polarity
from mht.predictions import score
from mht.questions import Kind, Question, answered
from mht.storage import Storage, StorageParams
from tests.evaluation.benchmarks.conftest import FAMILY, Open, opened, reasons
from tests.evaluation.benchmarks.made import COUNTS, MAKE
from tests.s3_server import CREDENTIALS, S3Server, start_s3

NAMES = catalog.names(FAMILY)
OWN = {"pairs", "table"}
SOURCE = re.compile(r"arXiv \d{4}\.\d{4,5}|Scientific Data 20\d\d")
FILES = [name for name in NAMES if name != "pairs"]
every = pytest.mark.parametrize("name", NAMES)
from_files = pytest.mark.parametrize("name", FILES)


def test_every_benchmark_has_a_made_up_release() -> None:
    assert set(NAMES) == set(MAKE) == set(COUNTS)


@every
def test_params_are_frozen_and_know_their_keys(name: str, copies: dict[str, dict[str, Any]]) -> None:
    kind = catalog.load(FAMILY, name).Params
    assert issubclass(kind, BaseModel)
    params = kind(**copies[name])
    assert kind.model_fields["path"].is_required()
    with pytest.raises(ValidationError):
        kind(**copies[name], no_such_key=1)
    with pytest.raises(ValidationError):
        params.path = "elsewhere"


@every
def test_the_docstring_names_the_source(name: str) -> None:
    text = str(catalog.load(FAMILY, name).__doc__)
    assert name in OWN or SOURCE.search(" ".join(text.split()))
    assert name == "pairs" or "Files" in text


@every
def test_making_one_reads_nothing_and_a_wrong_path_is_told(name: str, open_one: Open, tmp_path: Path) -> None:
    benchmark = open_one(name, path=str(tmp_path / "nowhere"))
    for ask in (lambda: list(benchmark.questions()), lambda: benchmark.digest, benchmark.notes):
        with pytest.raises(MhtError, match="nowhere"):
            ask()


@every
def test_a_folder_of_something_else_is_refused_with_what_was_looked_for(
    name: str, open_one: Open, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("Nothing to ask.")
    with pytest.raises(MhtError, match=re.escape(str(tmp_path))) as told:
        list(open_one(name, path=str(tmp_path)).questions())
    assert re.search(r"Looked for|no \.|MANIFEST", str(told.value))


@every
def test_questions_are_whole_and_the_same_each_time(name: str, open_one: Open) -> None:
    found = list(open_one(name).questions())
    assert list(open_one(name).questions()) == found
    assert len(found) == COUNTS[name]
    assert len({question.row_id for question in found}) == len(found)
    for question in found:
        assert question.benchmark == name
        assert question.image_id
        assert question.truth
        assert question.question.strip()
        assert "<image>" not in question.question
        assert question.kind in set(Kind)
        assert question.polarity in ("yes", "no", None)
        _check_choice(question)


def _check_choice(question: Question) -> None:
    if question.kind != Kind.CHOICE:
        assert question.options is None
        return
    assert question.options is not None
    assert question.truth in question.options
    for letter, option in zip("ABCDEFG", question.options, strict=False):
        assert f"\n{letter}. {option}\n" in question.question


@every
def test_images_come_in_the_order_of_the_questions_also_after_a_journey(name: str, open_one: Open) -> None:
    benchmark = open_one(name)
    found = list(benchmark.questions())
    images = dict(zip((q.image_id for q in found), benchmark.images(found), strict=True))
    for image in images.values():
        assert isinstance(image, bytes)
        Image.open(io.BytesIO(image)).load()
    assert len(set(images.values())) == len(images)
    some = [found[-1], found[0], found[-1]]
    again = pickle.loads(pickle.dumps(open_one(name)))
    assert again.images(some) == [images[question.image_id] for question in some]
    assert list(again.questions()) == found
    assert benchmark.images([]) == []


@every
def test_the_digest_is_of_what_the_rows_are(
    name: str, open_one: Open, storage: Storage, tmp_path: Path
) -> None:
    digest = open_one(name).digest
    assert re.fullmatch("[0-9a-f]{16}", digest)
    assert opened(name, MAKE[name](tmp_path / "elsewhere"), storage).digest == digest
    assert opened(name, MAKE[name](tmp_path / "changed", lambda rows: rows[1:]), storage).digest != digest


@every
def test_every_image_of_every_split_is_told(name: str, open_one: Open) -> None:
    benchmark = open_one(name)
    pictures = list(benchmark.pictures())
    assert {q.image_id for q in benchmark.questions()} <= {picture.image_id for picture in pictures}
    assert len({(picture.split, picture.image_id) for picture in pictures}) == len(pictures)
    for data in benchmark.read([picture.image for picture in pictures]):
        assert isinstance(data, bytes)


@every
def test_the_notes_begin_with_the_counts(name: str, open_one: Open) -> None:
    notes = open_one(name).notes()
    assert re.match(rf"{name}, .*: {COUNTS[name]} questions \(", notes[0])
    assert all(note.strip() for note in notes)
    assert name in OWN | {"polls"} or any(note.startswith("licence: ") for note in notes)
    assert reasons(open_one(name)) == {}


@every
def test_answers_are_scored(name: str, open_one: Open) -> None:
    """The truths as replies are right wherever a yes or no is due; a failure is asked and has no value."""
    found = list(open_one(name).questions())
    rows = [answered(question, question.truth, None) for question in found]
    whole = score(polarity.measure(rows, polarity.Params())[0])
    assert whole.n == whole.n_asked
    assert whole.value == (1.0 if whole.n else None)
    failed = score(polarity.measure([answered(q, None, "timeout") for q in found], polarity.Params())[0])
    assert (failed.n, failed.n_asked) == (0, whole.n_asked)


QUESTION = {"medhalltune": "text", "polls": "text", "pmc_vqa": "Question"}
IMAGE = {
    "halt_medvqa": "img", "medhalltune": "image", "pmc_vqa": "Figure_path", "polls": "image", "slake": "img_name",
    "table": "image", "vqa_rad": "image_name",
}  # fmt: skip


@from_files
def test_a_row_that_cannot_be_asked_is_counted_or_an_error(
    name: str, storage: Storage, tmp_path: Path
) -> None:
    def spoilt(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [rows[0] | {QUESTION.get(name, "question"): " "}, *rows[1:]]

    params = MAKE[name](tmp_path / "spoilt", spoilt)
    with pytest.raises(InputError, match=f"1 of {COUNTS[name]} rows cannot be asked") as told:
        list(opened(name, params, storage).questions())
    assert re.search(r"empty_question 1 \(.*row \d", str(told.value))
    benchmark = opened(name, params | {"max_refused": 0.5}, storage)
    assert len(list(benchmark.questions())) == COUNTS[name] - 1
    assert reasons(benchmark) == {"empty_question": 1}


@pytest.mark.parametrize("name", sorted(IMAGE))
@pytest.mark.parametrize("image", ["not-there.jpg", "../outside.jpg", "/etc/hostname"])
def test_a_row_without_its_image_is_counted(name: str, image: str, storage: Storage, tmp_path: Path) -> None:
    def lost(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [*rows[:-1], rows[-1] | {IMAGE[name]: image}]

    params = MAKE[name](tmp_path / "in" / "copy", lost)
    (tmp_path / "in" / "outside.jpg").write_bytes(b"\xff\xd8\xff")
    benchmark = opened(name, params | {"max_refused": 0.5}, storage)
    assert len(list(benchmark.questions())) == COUNTS[name] - 1
    assert reasons(benchmark) == {"image_missing": 1}
    blind = opened(name, params | {"text_only": True}, storage)
    assert len(list(blind.questions())) == COUNTS[name]
    assert set(blind.images(list(blind.questions()))) == {None}


@pytest.fixture(scope="module")
def bucket() -> Iterator[S3Server]:
    with pytest.MonkeyPatch.context() as patch, start_s3("bucket") as server:
        for key, value in CREDENTIALS.items():
            patch.setenv(key, value)
        yield server


def test_from_a_bucket(bucket: S3Server, copies: dict[str, dict[str, Any]], storage: Storage) -> None:
    remote = Storage(StorageParams(endpoint_url=bucket.endpoint_url))
    for name, params in copies.items():
        root = Path(params["path"])
        root = root.parent if root.is_file() else root
        for folder, _, files in os.walk(root):
            for file in (Path(folder) / file for file in files):
                remote.write(f"s3://bucket/{name}/{file.relative_to(root)}", file.read_bytes())
        moved = {k: str(v).replace(str(root), f"s3://bucket/{name}") for k, v in params.items()}
        there, here = opened(name, moved, remote), opened(name, params, storage)
        asked = list(there.questions())
        assert [(q.row_id, q.question) for q in asked] == [(q.row_id, q.question) for q in here.questions()]
        assert there.images(asked) == here.images(list(here.questions()))
        assert there.digest == here.digest
