"""Sources whose rows are lines, list elements or table rows: those about one image are one example.

The files are read once for the index, which holds places and no texts; images that lie beside the files are only
looked at: whether they are there and begin as a JPEG or PNG does. What a shard's examples need is read on demand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from mht.errors import ConfigError, InputError
from mht.model.examples import Example, Exchange
from mht.storage import Storage
from mht.training.shards import HeldOut, Shard, place, spread
from mht.training.sources._data_files import digest_of, fetch
from mht.training.sources._images import read_images
from mht.training.sources._index import Index, Mark
from mht.training.sources._listing import (
    FileParams,
    Format,
    Lister,
    Understood,
    exchange_id,
    image_id,
)

Rows = dict[Mark, Understood]


class FileSource:
    """A source by the format of its rows."""

    def __init__(self, params: FileParams, storage: Storage, form: Format) -> None:
        self._params = params
        self._storage = storage
        self._form = form

    @property
    def digest(self) -> str:
        """Of the files of rows, by name and content; the images that they name are not read for it."""
        return digest_of(self._index.files)

    @property
    def left_out(self) -> str:
        """The unfit rows of all splits."""
        return self._index.left_out

    def shards(self) -> list[Shard]:
        """Reads the files of rows when it is first asked. Raises InputError for too many unfit rows."""
        return self._of_split(self._params.split, "data.split: ")

    def read(self, shard: str, example_ids: Sequence[str], epoch: int | None) -> list[Example]:
        """The same in every epoch. Raises IntegrityError where a file is not as it was listed."""
        marks = self._marks(shard, example_ids)
        rows = self._rows(marks)
        images = self._images([found[0] for found in marks], rows)
        return [
            Example(example_id, image, tuple(self._exchange(mark, rows[mark]) for mark in found))
            for example_id, image, found in zip(example_ids, images, marks, strict=True)
        ]

    def held_out(self, n: int, split: str) -> list[HeldOut]:
        """Exchanges of whole images, but for the last one's."""
        chosen = spread(self._of_split(split), n)
        examples = [e for shard, ids in chosen.items() for e in self.read(shard, sorted(ids), 0)]
        examples.sort(key=lambda example: place(example.example_id))
        return [HeldOut(e.example_id, e.image, exchange) for e in examples for exchange in e.exchanges][:n]

    @cached_property
    def _index(self) -> Index:
        return Lister(self._params, self._storage, self._form).index()

    def _of_split(self, split: str, setting: str = "") -> list[Shard]:
        found = [shard for shard in self._index.shards if shard.split == split]
        if not found:
            there = ", ".join(sorted({shard.split for shard in self._index.shards}))
            raise ConfigError(
                f"{setting}{self._params.path!r} has no rows of split {split!r}. There are: {there}. Name a file "
                f"or its folder {split!r}, or set data.validation_share to hold some out."
            )
        return found

    def _marks(self, shard: str, example_ids: Sequence[str]) -> list[list[Mark]]:
        marks = self._index.marks(shard)
        for example_id in example_ids:
            if example_id not in marks:
                raise InputError(f"{self._params.path!r}: shard {shard} has no example {example_id!r}.")
        return [marks[example_id] for example_id in example_ids]

    def _rows(self, marks: Sequence[Sequence[Mark]]) -> Rows:
        """Every row understood; the image stays with the first one of an example."""
        firsts = {found[0] for found in marks}
        wanted: dict[int, list[Mark]] = {}
        for mark in (mark for found in marks for mark in found):
            wanted.setdefault(mark.file, []).append(mark)
        rows: Rows = {}
        for number, of_file in wanted.items():
            file = self._index.files[number]
            found = fetch(self._storage, file, [mark.place for mark in of_file], self._form.columns)
            for mark, row in zip(of_file, found, strict=True):
                understood = self._form.understand(row)
                rows[mark] = understood if mark in firsts else replace(understood, image=None)
        return rows

    def _images(self, firsts: Sequence[Mark], rows: Rows) -> list[bytes | None]:
        """The image of each of the rows."""
        files, params, storage = self._index.files, self._params, self._storage
        uris = [image_id(storage, params, files[mark.file], rows[mark].image)[1] for mark in firsts]
        beside = read_images(storage, [uri for uri in uris if uri is not None])
        images: list[bytes | None] = []
        for mark, uri in zip(firsts, uris, strict=True):
            held = rows[mark].image
            images.append(beside[uri] if uri is not None else held if isinstance(held, bytes) else None)
        return images

    def _exchange(self, mark: Mark, row: Understood) -> Exchange:
        named = exchange_id(row.id, mark.repeated, self._index.files[mark.file], mark.number)
        answer = row.turns[-1].answer
        rejected = row.rejected if row.rejected != answer else None
        return Exchange(named, row.turns, rejected, system=row.system)
