"""What a benchmark asks: one record a question, with its image still where it lies, and a question with its reply."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeAlias, runtime_checkable

from mht.predictions import Prediction
from mht.records import Refusal

LETTERS = "ABCDEFGHIJ"
"""What the options of a choice are called, in their order."""
Picture: TypeAlias = bytes | Refusal | None
"""A question's image as its file holds it, why it cannot be read, or None for a question without one."""


class Kind(StrEnum):
    """How a question is answered: by yes or no or one of a few words that it names, freely, or by an option."""

    CLOSED = "closed"
    OPEN = "open"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class ImageAt:
    """Where an image is, to be read when it is needed.

    `holder` is the address of its file; where a file holds several images `member` says which: row group and row of a
    Parquet file (`3:17`). Of our own datasets `holder` is the shard and `member` the image's id. `version` and
    `size_bytes` are what the listing said of the file.
    """

    holder: str
    member: str | None = None
    version: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """One row of a benchmark, to be asked.

    `question` is exactly what is asked: the benchmark's own words, its options where it has some, and the suffix.
    `truth` is the reference answer (of a choice the right option's text; of two options with that text both are right),
    empty where the release holds none. `kind` is the release's own word for it, else closed for a truth of yes or no.
    `options` are the texts of a choice, in the order of the letters A, B, C …; None where there are none, or where they
    stand in the question alone. `row_id` is unique in a benchmark. The other columns are Prediction's.
    """

    benchmark: str
    row_id: str
    image_id: str
    image: ImageAt | None
    question: str
    truth: str
    kind: str
    options: tuple[str, ...] | None = None
    group: str | None = None
    state: str | None = None
    type: str | None = None
    form: str | None = None
    risk: str | None = None
    modality: str | None = None
    site: str | None = None
    polarity: str | None = None
    premise: str | None = None
    rejected: str | None = None
    twin_id: str | None = None
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class SplitImage:
    """An image of one split of a benchmark; `image` is None where the copy does not hold it.

    `size_bytes` is its file's, None where it has none of its own.
    """

    split: str
    image_id: str
    image: ImageAt | None
    size_bytes: int | None = None


class Benchmark(Protocol):
    """What every file of `evaluation.benchmarks` has as its class `Benchmark`, made from its `Params` and a storage.

    Making one reads nothing, and one can be pickled. See `OfficialBenchmark` for one whose release has a format for
    answers.
    """

    @property
    def digest(self) -> str:
        """16 hex digits over what the questions were read from."""

    def questions(self) -> Iterator[Question]:
        """Those that are asked, the same each time. Raises InputError for a copy that does not fit."""

    def images(self, questions: Sequence[Question]) -> list[Picture]:
        """In the order of the questions, as the files hold them; see `evaluation.pictures` for what engines read."""

    def read(self, places: Sequence[ImageAt | None]) -> list[Picture]:
        """The same for places."""

    def pictures(self) -> Iterator[SplitImage]:
        """Each image of each split, those that are not asked included."""

    def compared(self) -> list[tuple[str, str]]:
        """(a split that is asked, another one of the copy) whose images are to be held against each other."""

    def notes(self) -> list[str]:
        """What a person must know of the copy: counts, refused rows, what its splits share, licence."""


@runtime_checkable
class OfficialBenchmark(Benchmark, Protocol):
    """A benchmark whose release keeps answers in files that its own script takes."""

    def official_files(self, predictions: Sequence[Prediction]) -> dict[str, tuple[bytes, str]]:
        """By name, the content and what is told of it, with what a judge of the official form said of the replies.

        Raises InputError for a prediction of no row, or of the same row twice.
        """


_TAKEN_OVER = (
    "benchmark", "row_id", "image_id", "question", "truth", "kind", "options", "group", "state", "type", "form", "risk",
    "modality", "site", "polarity", "premise", "rejected", "twin_id", "caption",
)  # fmt: skip


def answered(
    question: Question,
    reply: str | None,
    failure: str | None,
    likelihood_yes: float | None = None,
    likelihoods: tuple[float, ...] | None = None,
) -> Prediction:
    """The question's row with what became of it: a reply or the kind of failure, never both (InputError)."""
    columns = {name: getattr(question, name) for name in _TAKEN_OVER}
    return Prediction(
        **columns, reply=reply, failure=failure, likelihood_yes=likelihood_yes, likelihoods=likelihoods
    )
