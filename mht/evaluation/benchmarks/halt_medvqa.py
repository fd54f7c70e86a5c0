"""HALT-MedVQA: whether a model says that it does not know, or that no option is right, where that is so.

Three parts, each a split. `fake` (`fake_qa_shuffle.json`): the question is nonsense or of something that an image
cannot show; `swap` (`swap_img_shuffle.json`): a sound question beside another image; the right option of both is "I
do not know". `none` (`pmc_vqa_nota1K.json`): the right option was replaced by "None of the above", which is right
now. Files in the folder or in `data`, as in github.com/knowlab/halt-medvqa. The images are those of VQA-RAD
(`synpic….jpg`), PathVQA (`test_….jpg`, of its original release) and PMC-VQA (`PMC….jpg`): name the folders where
yours lie in `images`. Source: Wu et al., arXiv 2401.05827. `type` is the part; the official measure is the share of
right letters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from pydantic import Field

from mht.errors import InputError
from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._parts import Part, find_parts
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import RawRow, Row, document
from mht.evaluation.benchmarks._words import (
    BY_LETTER,
    LETTERS,
    option_text,
    right_option,
    text_in,
    text_or_none,
    with_options,
    with_suffix,
)
from mht.questions import Kind, Question
from mht.storage import Storage

NAMES: dict[str, str | None] = {
    "fake_qa_shuffle.json": "fake",
    "pmc_vqa_nota1K.json": "none",
    "pmc_vqa_nota1k.json": "none",
    "swap_img_shuffle.json": "swap",
}
RIGHT = {"fake": "i do not know", "swap": "i do not know", "none": "none of the above"}
TYPES = {"fake": "fake_question", "swap": "swapped_image", "none": "none_of_the_above"}
_FOLDERS = ("images", "../images")
_REMARKS = (
    "a model that always declines is right in every row: read it beside the same model on PMC-VQA or VQA-RAD",
    "its images are also VQA-RAD's, PathVQA's and PMC-VQA's: a model that was trained on those has seen many of them",
    "licence: the repository has no licence file; the images have those of their own releases",
)


class Params(CopyParams):
    """Where the copy is, and which parts are asked. `suffix` follows the options."""

    split: tuple[Literal["fake", "none", "swap"], ...] = Field(default=("fake", "none", "swap"), min_length=1)
    suffix: str = BY_LETTER


class Benchmark(FileBenchmark):
    """HALT-MedVQA's questions of one part or more."""

    def __init__(self, params: Params, storage: Storage) -> None:
        parts = partial(find_parts, storage, params.path, "HALT-MedVQA", NAMES, (".", "data"))
        understood = partial(understand, suffix=params.suffix)
        form = Format("halt_medvqa", parts, understood, _FOLDERS, _REMARKS, rows=rows, trains=False)
        super().__init__(params, storage, form, params.split)


def rows(storage: Storage, uri: str, columns: Sequence[str] | None) -> Iterator[RawRow]:
    """Of a list, or of an object whose keys number its rows; ids count from 0 as the official code does."""
    whole = document(storage, uri)
    if not isinstance(whole, list | dict):
        raise InputError(f"{uri!r}: neither a list nor an object of rows. Copy it again.")
    keyed = whole.items() if isinstance(whole, dict) else enumerate(whole)
    for number, (key, row) in enumerate(keyed, start=1):
        if isinstance(row, dict):
            yield RawRow(number, row | {"id": str(key)})
        else:
            yield RawRow(number, Unfit("not_an_object", type(row).__name__))


def understand(row: Row, part: Part, number: int, *, suffix: str) -> Understood:
    """Raises Unfit also where the right option is not the one that the part is about."""
    split = str(part.split)
    options, letter = _of_choices(row) if "choice_A" in row else _of_options(row)
    truth = right_option(options, LETTERS[: len(options)], letter)
    if truth.casefold().rstrip(".") != RIGHT[split]:
        raise Unfit("unexpected_answer", repr(truth)[:60])
    image = text_in(row, "img", "image_name")
    asked = with_options(text_in(row, "question", "question"), options)
    question = Question(
        benchmark="halt_medvqa",
        row_id=f"{split}/{row['id']}",
        image_id=image,
        image=None,
        question=with_suffix(asked, Kind.CHOICE, None, suffix),
        truth=truth,
        kind=Kind.CHOICE,
        options=options,
        type=TYPES[split],
    )
    return Understood(question, image)


def _of_options(row: Row) -> tuple[tuple[str, ...], str]:
    """(the options, the right letter) of `option: {A: …}` and `answer_id`."""
    given = row.get("option")
    if not isinstance(given, dict) or list(given) != list(LETTERS[: len(given)]):
        raise Unfit("no_options", "option is no object with A, B, C …")
    return tuple(text_in(given, letter, "option") for letter in given), text_in(row, "answer_id", "answer")


def _of_choices(row: Row) -> tuple[tuple[str, ...], str]:
    """The same of `choice_A: " A:…"` and `answer`."""
    letters = [letter for letter in LETTERS if text_or_none(row, f"choice_{letter}", "option") is not None]
    if letters != list(LETTERS[: len(letters)]):
        raise Unfit("no_options", "a letter is left out")
    options = (option_text(text_in(row, f"choice_{letter}", "option"), letter) for letter in letters)
    return tuple(options), text_in(row, "answer", "answer")
