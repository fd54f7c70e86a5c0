"""Tables of one's own: a question and an answer a row, with columns by name.

Files: `path` is a Parquet, JSON Lines, JSON, CSV or TSV file, a folder of them or a pattern; a file's split is the
one that its name begins with (`test-00000.parquet`), if any. An image is the name of a file below `images` (the
table's folder unless it is given), or in Parquet its bytes or the hub's struct of `bytes` and `path`. `options` is a
column with a list, or several columns with an option each; the answer to a choice is the right option's text, or its
letter, which goes by the option's place there. Empty options are left out once the letter was looked up. Columns of our
own pairs (`state`, `premise`, `polarity` …) are taken where the table has them and `columns` names them. `state` is
faithful or hallucinated, or positive or negative as MedHallTune calls them; `risk` is one of our levels.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Literal

from pydantic import Field, model_validator

from mht.errors import InputError
from mht.evaluation.benchmarks._benchmark import CopyParams, FileBenchmark, Format, Understood
from mht.evaluation.benchmarks._images import held
from mht.evaluation.benchmarks._parts import Part
from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import Row
from mht.evaluation.benchmarks._words import (
    LETTERS,
    kind_of,
    right_option,
    text_in,
    text_or_none,
    with_options,
    with_suffix,
    without_marker,
)
from mht.knowledge.polarity import NO, YES, opening
from mht.knowledge.risk import LEVELS
from mht.questions import Kind, Question
from mht.records import State
from mht.storage import Storage

_SUFFIXES = (".parquet", ".jsonl", ".ndjson", ".json", ".csv", ".tsv")
_SPLITS = {
    "train": "train", "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation",
    "test": "test",
}  # fmt: skip
_SPLIT = re.compile(rf"({'|'.join(_SPLITS)})(?=$|[-_.\d])")
Column = Literal[
    "state",
    "type",
    "form",
    "risk",
    "modality",
    "site",
    "polarity",
    "premise",
    "rejected",
    "twin_id",
    "caption",
]
_EVERY = "all"
_STATES = {state.value: state.value for state in State}
_KNOWN = {
    "state": _STATES | {"positive": State.FAITHFUL.value, "negative": State.HALLUCINATED.value},
    "risk": {level: level for level in LEVELS},
}
"""Columns of our own pairs that hold one of a few words, and what we call each."""


class Params(CopyParams):
    """Which table, which split of it (all of it unless one is given), and what its columns are called.

    `image` null is for a table without images (with `text_only`). `kind` is a column that says open or closed; without
    one a yes or no is closed. `columns` maps our names to the table's. `name` is what the benchmark is called in
    reports. `suffix` follows choices and questions whose answer is yes or no.
    """

    name: str = Field(default="table", pattern=r"^[a-z0-9_]+$")
    split: str | None = None
    image: str | None = "image"
    question: str = Field(default="question", min_length=1)
    answer: str = Field(default="answer", min_length=1)
    id: str | None = None
    group: str | None = None
    kind: str | None = None
    options: str | tuple[str, ...] | None = None
    columns: dict[Column, str] = Field(default_factory=dict)
    suffix: str = ""

    @model_validator(mode="after")
    def _without_images(self) -> Params:
        if self.image is None and not self.text_only:
            raise ValueError("name the column of the images, or set text_only=true to ask without them")
        return self

    @property
    def used(self) -> tuple[str, ...]:
        """The table's columns that are read; all of them must be there."""
        options = (self.options,) if isinstance(self.options, str) else self.options or ()
        named = (self.image, self.question, self.answer, self.id, self.group, self.kind, *options)
        return tuple(dict.fromkeys([*(name for name in named if name), *self.columns.values()]))


class Benchmark(FileBenchmark):
    """The questions of a table."""

    def __init__(self, params: Params, storage: Storage) -> None:
        found, understood = partial(find, storage, params), partial(understand, params=params)
        column = params.image or "image"
        form = Format(params.name, found, understood, (".",), columns=params.used, column=column)
        super().__init__(params, storage, form, (params.split or _EVERY,))


def find(storage: Storage, params: Params) -> list[Part]:
    """The tables, by the splits that their names begin with where one is asked for. Raises InputError for none."""
    found = list(storage.glob(storage.absolute(params.path)))
    tables = [listing for listing in found if listing.name.lower().endswith(_SUFFIXES)]
    if not tables:
        raise InputError(f"{params.path!r}: no {', '.join(_SUFFIXES)} among {len(found):,} files.")
    parts = [Part(x.name, x.uri, _split(x.name) if params.split else _EVERY, x.version) for x in tables]
    there = sorted({part.split or "none" for part in parts})
    if params.split and params.split not in there:
        raise InputError(
            f"{params.path!r}: no table of split {params.split!r}. By their names: {', '.join(there)}."
        )
    return [part for part in parts if part.split is not None]


def _split(name: str) -> str | None:
    found = _SPLIT.match(name.lower().rpartition("/")[2])
    return _SPLITS[found[1]] if found else None


def understand(row: Row, part: Part, number: int, *, params: Params) -> Understood:
    for column in params.used:
        if column not in row:
            raise Unfit("no_such_column", f"{column!r}; there are {', '.join(map(repr, row))}"[:200])
    row_id = text_or_none(row, params.id, "id") if params.id else None
    place = f"{part.name.rpartition('/')[2]}:{number}"
    options, truth = _options(row, params)
    word = text_or_none(row, params.kind, "kind") if params.kind else None
    ours = _ours(row, params)
    polarity = ours.pop("polarity", None) or (opening(truth) if options is None else None)
    if polarity not in (YES, NO, None):
        raise Unfit("polarity_neither_yes_nor_no", repr(polarity)[:40])
    kind = Kind.CHOICE if options is not None else kind_of(word, truth)
    text = without_marker(text_in(row, params.question, "question"))
    image = held(row[params.image]) if params.image else None
    question = Question(
        benchmark=params.name,
        row_id=row_id or place,
        image_id=image if isinstance(image, str) else "" if isinstance(image, bytes) else row_id or place,
        image=None,
        question=with_suffix(with_options(text, options or ()), kind, polarity, params.suffix),
        truth=truth,
        kind=kind,
        options=options,
        group=text_or_none(row, params.group, "group") if params.group else None,
        polarity=polarity,
        **ours,
    )
    return Understood(question, image)


def _ours(row: Row, params: Params) -> dict[str, str | None]:
    """The columns of our own pairs, by our names. Raises Unfit for a state or a risk that is none of ours."""
    found: dict[str, str | None] = {
        ours: text_or_none(row, theirs, ours) for ours, theirs in params.columns.items()
    }
    for column, words in _KNOWN.items():
        given = found.get(column)
        if given is None:
            continue
        if given.casefold() not in words:
            raise Unfit(f"unknown_{column}", f"{given[:40]!r}; it is one of {', '.join(words)}")
        found[column] = words[given.casefold()]
    return found


def _options(row: Row, params: Params) -> tuple[tuple[str, ...] | None, str]:
    """(the options, None for no choice; the truth). Raises Unfit for an answer that is no option and no letter."""
    answer = text_in(row, params.answer, "answer")
    if params.options is None:
        return None, answer
    given: Any = row[params.options] if isinstance(params.options, str) else [row[c] for c in params.options]
    if not isinstance(given, list) or len(given) > len(LETTERS):
        raise Unfit("no_options", f"a list of up to {len(LETTERS)} is needed")
    texts = [text_or_none({"option": option}, "option", "option") for option in given]
    lettered = {letter: text for letter, text in zip(LETTERS, texts, strict=False) if text is not None}
    options = tuple(lettered.values())
    same = [option for option in options if option.casefold() == answer.casefold()]
    return options, same[0] if same else right_option(options, list(lettered), answer)
