"""Our own datasets: the pairs of a held-out split, hallucinated ones beside their faithful twins.

The dataset is read by its manifest, shard by shard. The question is the pair's own, with no suffix: its forms are
part of what is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from pydantic import Field

from mht.evaluation.benchmarks._census import Census, shared
from mht.questions import ImageAt, Kind, Picture, Question, SplitImage
from mht.reading import Dataset, Selection, split_of
from mht.storage import Storage

_OF_PAIR = (
    "image_id",
    "question",
    "state",
    "type",
    "form",
    "risk",
    "polarity",
    "premise",
    "rejected",
    "twin_id",
)
_OF_IMAGE = ["image_id", "group", "modality", "caption"]


class Params(Selection):
    """Where the dataset is and which of its pairs are asked."""

    path: str = Field(min_length=1)
    split: tuple[str, ...] | None = ("test",)


class Benchmark:
    """The chosen pairs of a dataset as questions."""

    def __init__(self, params: Params, storage: Storage) -> None:
        self._params = params
        self._storage = storage

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._params, self._storage)

    @property
    def digest(self) -> str:
        """The dataset's: what was chosen of it is no part of it."""
        return self._dataset.digest

    def questions(self) -> Iterator[Question]:
        """One a pair, those of an image side by side. Raises ConfigError for a split, state, type or form that no pair
        has."""
        self._dataset.check(self._params)
        for shard in self._dataset.names(self._params):
            images = self._image_rows(shard)
            for pair in self._dataset.pairs_of(shard, self._params):
                yield _question(pair, images[pair["image_id"]], shard)

    def images(self, questions: Sequence[Question]) -> list[Picture]:
        """The normalised images. Each shard is read once: ask for what is of one together."""
        return self.read([question.image for question in questions])

    def read(self, places: Sequence[ImageAt | None]) -> list[Picture]:
        """The same for places, as `pictures` gives them."""
        wanted: dict[str, set[str]] = {}
        for at in places:
            if at is not None:
                wanted.setdefault(at.holder, set()).add(str(at.member))
        found = {
            (shard, image_id): row["image"]["bytes"]
            for shard, ids in wanted.items()
            for image_id, row in self._dataset.images(shard, ids).items()
        }
        return [None if at is None else found[at.holder, str(at.member)] for at in places]

    def pictures(self) -> Iterator[SplitImage]:
        """Each image of each split of the dataset."""
        for shard in self._dataset.names(Selection()):
            for image_id in self._image_rows(shard):
                yield SplitImage(split_of(shard), image_id, ImageAt(shard, image_id))

    def compared(self) -> list[tuple[str, str]]:
        """None: the build keeps images that look alike in one split."""
        return []

    def notes(self) -> list[str]:
        """Counts by state and form, and what the dataset's splits share."""
        states, forms, images, twins = Counter[str](), Counter[str](), set[str](), set[str]()
        for question in self.questions():
            states[str(question.state)] += 1
            forms[str(question.form)] += 1
            images.add(question.image_id)
            twins.add(str(question.twin_id))
        chosen = ", ".join(self._splits)
        return [
            f"pairs, {chosen}: {sum(states.values()):,} questions ({_told(states)}), {len(twins):,} twins, on "
            f"{len(images):,} images of run {self._dataset.run}",
            f"forms: {_told(forms)}",
            *shared(self._census, self._splits),
        ]

    @cached_property
    def _dataset(self) -> Dataset:
        return Dataset(self._storage, self._params.path)

    @property
    def _splits(self) -> Sequence[str]:
        return self._dataset.splits() if self._params.split is None else self._params.split

    @property
    def _census(self) -> dict[str, Census]:
        found: dict[str, Census] = {}
        for shard in self._dataset.names(Selection()):
            census = found.setdefault(split_of(shard), Census())
            for image_id, row in self._image_rows(shard).items():
                census.add(image_id, ImageAt(shard, image_id), row["group"])
        return found

    def _image_rows(self, shard: str) -> dict[str, dict[str, Any]]:
        rows = self._dataset.image_columns(shard, _OF_IMAGE).to_pylist()
        return {row["image_id"]: row for row in rows}


def _told(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in sorted(counts.items()))


def _question(pair: dict[str, Any], image: dict[str, Any], shard: str) -> Question:
    columns = {name: pair[name] for name in _OF_PAIR}
    choice = pair["form"] == "multiple_choice"
    closed = Kind.CLOSED if pair["polarity"] is not None else Kind.OPEN
    return Question(
        benchmark="pairs",
        row_id=pair["pair_id"],
        image=ImageAt(shard, pair["image_id"]),
        truth=pair["answer"],
        kind=Kind.CHOICE if choice else closed,
        group=image["group"],
        modality=image["modality"],
        caption=image["caption"],
        **columns,
    )
