"""Benchmarks whose rows lie in files: each row becomes a question with its image found, or is refused and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mht.evaluation.benchmarks._census import Census, shared
from mht.evaluation.benchmarks._images import Images, image_name, join_folder, read_images
from mht.evaluation.benchmarks._parts import Part, digest_of
from mht.evaluation.benchmarks._refused import Refused, Unfit
from mht.evaluation.benchmarks._rows import RawRow, Row, read_rows
from mht.questions import ImageAt, Kind, Picture, Question, SplitImage
from mht.storage import Storage


class CopyParams(BaseModel):
    """Where the user's copy is: `path` is its folder, or its file of rows.

    `images` are the folders where its images lie, in place of those where the release has them; with `text_only` the
    questions are asked without images (a blind baseline), which then need not be there. More than `max_refused` of the
    rows not being fit to be asked is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    path: str = Field(min_length=1)
    images: tuple[str, ...] = ()
    text_only: bool = False
    max_refused: float = Field(default=0.01, ge=0, le=1)

    @field_validator("images", mode="before")
    @classmethod
    def _one_folder_is_a_list(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given


@dataclass(frozen=True, slots=True)
class Understood:
    """A row as a question that lacks its image's place, and the image: bytes, or the name of a file.

    `image_id` may be empty where the image is bytes: it is then called by their hash.
    """

    question: Question
    image: str | bytes | None


class Understand(Protocol):
    """Makes something of a row of a part. Raises Unfit with the reason why it cannot be asked."""

    def __call__(self, row: Row, part: Part, number: int, /) -> Understood: ...


def split_of_part(row: Row, part: Part) -> str:
    """The split that all rows of a file are of."""
    return str(part.split)


@dataclass(frozen=True, slots=True)
class Format:
    """How a release is read.

    `parts` finds its files of rows or raises InputError; `folders` are where its images lie, below the folder of the
    rows, none where the rows hold them; `split_of` tells a row's split or raises Unfit; `remarks` hold for every copy.
    `published` is what the whole release's splits share, said where the copy has no images of another split to measure.
    Splits of `aside` are counted and not compared with others; `trains` is whether the release has rows to train on.
    Of Parquet files `columns` are read, the image from `column`.
    """

    benchmark: str
    parts: Callable[[], list[Part]]
    understand: Understand
    folders: tuple[str, ...]
    remarks: tuple[str, ...] = ()
    published: tuple[str, ...] = ()
    split_of: Callable[[Row, Part], str] = split_of_part
    aside: tuple[str, ...] = ()
    trains: bool = True
    columns: tuple[str, ...] | None = None
    column: str = "image"
    rows: Callable[[Storage, str, Sequence[str] | None], Iterator[RawRow]] = read_rows


@dataclass(slots=True)
class _Read:
    """What was found in the parts that are asked."""

    questions: list[Question] = field(default_factory=list)
    refused: Refused = field(default_factory=Refused)
    repeated: int = 0
    ids: set[str] = field(default_factory=set)

    def add(self, question: Question, place: str) -> None:
        """A row whose id came before is called by its id and its place."""
        if question.row_id in self.ids:
            self.repeated += 1
            question = replace(question, row_id=f"{question.row_id} ({place})")
        self.ids.add(question.row_id)
        self.questions.append(question)

    def lines(self, title: str) -> list[str]:
        kinds = Counter(question.kind for question in self.questions)
        told = ", ".join(f"{kinds[kind]:,} {kind}" for kind in Kind if kinds[kind])
        images = len({question.image_id for question in self.questions})
        lines = [
            f"{title}: {len(self.questions):,} questions ({told}) of {self.refused.n_rows:,} rows, "
            f"on {images:,} images"
        ]
        lines += [f"refused: {line}" for line in self.refused.lines()]
        if self.repeated:
            lines.append(f"{self.repeated:,} rows have the id of an earlier one; their place was added to it")
        without = sum(not question.truth for question in self.questions)
        if without:
            lines.append(
                f"{without:,} questions have no reference answer here: what needs one cannot be scored"
            )
        return lines


class FileBenchmark:
    """A benchmark by the format of its release; `splits` are those whose questions are asked."""

    def __init__(self, params: CopyParams, storage: Storage, form: Format, splits: Sequence[str]) -> None:
        self._params = params
        self._storage = storage
        self._form = form
        self._splits = tuple(splits)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._params, self._storage)

    @property
    def digest(self) -> str:
        """Of the files of rows that were read, by name and content; images are no part of it."""
        return digest_of(self._storage, self._asked_parts)

    def questions(self) -> Iterator[Question]:
        """In the order of the files. Raises InputError for a layout that does not fit, or too many refused rows."""
        yield from self._read.questions

    def images(self, questions: Sequence[Question]) -> list[Picture]:
        """As they lie in their files, in the order of the questions; None for a question without an image."""
        return self.read([question.image for question in questions])

    def read(self, places: Sequence[ImageAt | None]) -> list[Picture]:
        """The same for places, as `pictures` gives them."""
        return read_images(self._storage, places, self._form.column)

    def pictures(self) -> Iterator[SplitImage]:
        """Each image of each split of the copy, those that are not asked included."""
        for split, census in self._census.items():
            for image_id, at in census.images.items():
                yield SplitImage(split, image_id, at, self._images.size_bytes(at))

    def compared(self) -> list[tuple[str, str]]:
        """The asked splits with each other one of the copy; those set aside are left out."""
        splits = [split for split in self._census if split not in self._form.aside]
        return [
            (s, other) for s in splits if s in self._splits for other in splits if other not in self._splits
        ]

    def notes(self) -> list[str]:
        """Counts, refused rows by reason, what the copy's splits share, and remarks on the release."""
        lines = self._read.lines(f"{self._form.benchmark}, {', '.join(self._splits)}")
        if self._params.text_only:
            lines.append("asked without images (text_only)")
        counts = ", ".join(f"{split} {census.rows:,}" for split, census in self._census.items())
        lines.append(f"rows in this copy: {counts}")
        compared = {name: census for name, census in self._census.items() if name not in self._form.aside}
        held = any(
            at is not None and at.member for census in compared.values() for at in census.images.values()
        )
        by = "by bytes" if held else "by name"
        lines += shared(compared, self._splits, by, self._form.trains)
        others = {other for _, other in self.compared()}
        here = any(at is not None for other in others for at in self._census[other].images.values())
        return [*lines, *([] if here else self._form.published), *self._form.remarks]

    @cached_property
    def _parts(self) -> list[Part]:
        return self._form.parts()

    @property
    def _asked_parts(self) -> list[Part]:
        return [part for part in self._parts if part.split is None or part.split in self._splits]

    @cached_property
    def _images(self) -> Images:
        folders = [self._storage.absolute(folder) for folder in self._params.images]
        if not folders:
            bases = dict.fromkeys(part.folder for part in self._parts)
            folders = [join_folder(base, folder) for base in bases for folder in self._form.folders]
        return Images(self._storage, folders)

    @cached_property
    def _read(self) -> _Read:
        """The questions of the splits that are asked."""
        if self._form.folders and not self._params.text_only:
            self._images.check(self._params.path)
        read = _Read()
        for part in self._asked_parts:
            for raw in self._rows(part):
                try:
                    split, row = self._split(raw, part)
                    if split not in self._splits:
                        continue
                    read.add(self._question(row, raw, part), f"{part.name}:{raw.number}")
                except Unfit as unfit:
                    read.refused.add(f"{part.name}, row {raw.number:,}", unfit)
                read.refused.n_rows += 1
        read.refused.check(self._params.path, self._params.max_refused)
        return read

    @cached_property
    def _census(self) -> dict[str, Census]:
        """Every split of the copy, by all rows that can be understood, their images found or not."""
        found: dict[str, Census] = {}
        for part in self._parts:
            for raw in self._rows(part):
                try:
                    split, row = self._split(raw, part)
                    understood = self._form.understand(row, part, raw.number)
                    image_id = _image_id(understood)
                except Unfit:
                    continue
                image = self._perhaps(understood, raw, part)
                found.setdefault(split, Census()).add(image_id, image, understood.question.group)
        return found

    def _rows(self, part: Part) -> Iterator[RawRow]:
        return self._form.rows(self._storage, part.uri, self._form.columns)

    def _split(self, raw: RawRow, part: Part) -> tuple[str, Row]:
        if isinstance(raw.row, Unfit):
            raise raw.row
        return self._form.split_of(raw.row, part), raw.row

    def _question(self, row: Row, raw: RawRow, part: Part) -> Question:
        """The row's question with its image's name and place."""
        understood = self._form.understand(row, part, raw.number)
        image = None if self._params.text_only else self._place(understood, raw, part)
        return replace(understood.question, image_id=_image_id(understood), image=image)

    def _perhaps(self, understood: Understood, raw: RawRow, part: Part) -> ImageAt | None:
        if self._params.text_only:
            return None
        try:
            return self._place(understood, raw, part)
        except Unfit:
            return None

    def _place(self, understood: Understood, raw: RawRow, part: Part) -> ImageAt:
        if isinstance(understood.image, bytes):
            return ImageAt(part.uri, raw.member, part.version)
        if understood.image is None:
            raise Unfit("image_not_named")
        return self._images.find(understood.image)


def _image_id(understood: Understood) -> str:
    """Raises Unfit for an image that has neither a name nor bytes."""
    if understood.question.image_id:
        return understood.question.image_id
    if not isinstance(understood.image, bytes):
        raise Unfit("image_not_named")
    return image_name(understood.image)
