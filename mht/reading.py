"""A finished dataset, read shard by shard: what the manifest names, each file checked against its sha256."""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, field_validator

from mht.artifacts import MANIFEST, FileRecord, dump_json, read_checked, read_manifest, read_table
from mht.errors import ConfigError, InputError, IntegrityError
from mht.storage import Storage, join

_STATS = "stats.json"
_CHOSEN_BY = ("state", "type", "form")


class Selection(BaseModel):
    """Which pairs are wanted; a list or one word for each column, None for all of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: tuple[str, ...] | None = None
    state: tuple[str, ...] | None = None
    type: tuple[str, ...] | None = None
    form: tuple[str, ...] | None = None

    @field_validator("split", "state", "type", "form", mode="before")
    @classmethod
    def _one_word_is_a_list(cls, given: object) -> object:
        return (given,) if isinstance(given, str) else given

    def takes(self, pair: dict[str, Any]) -> bool:
        """Whether the pair is wanted; its split is that of its shard."""
        wanted = ((name, getattr(self, name)) for name in _CHOSEN_BY)
        return all(words is None or pair[name] in words for name, words in wanted)


@dataclass(frozen=True, slots=True)
class ShardRows:
    """A shard's wanted pairs, side by side by image, and the rows of the images that they are about, by id."""

    shard: str
    split: str
    images: dict[str, dict[str, Any]]
    pairs: list[dict[str, Any]]

    def by_image(self) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """(an image's row, its wanted pairs), in the dataset's order."""
        pairs: dict[str, list[dict[str, Any]]] = {}
        for pair in self.pairs:
            pairs.setdefault(pair["image_id"], []).append(pair)
        for image_id, found in pairs.items():
            yield self.images[image_id], found


class Dataset:
    """A dataset by its manifest. Raises IntegrityError where there is none, or a file is not what it says."""

    def __init__(self, storage: Storage, root: str) -> None:
        self._storage = storage
        self._root = root
        self.manifest, files = read_manifest(storage, root)
        self._files = {record.path: record for record in files}
        self._shards: dict[str, dict[str, FileRecord]] = {}
        for path, record in sorted(self._files.items()):
            kind, slash, name = path.partition("/")
            if slash and kind in ("images", "pairs"):
                self._shards.setdefault(name.rpartition("-")[0], {})[kind] = record

    @property
    def run(self) -> str:
        """The name of the run that made it."""
        return str(self.manifest["run"])

    @property
    def digest(self) -> str:
        """16 hex digits over every file's name and sha256: what this dataset holds."""
        listed = [[path, record.sha256] for path, record in sorted(self._files.items())]
        return hashlib.sha256(dump_json(listed)).hexdigest()[:16]

    def splits(self) -> list[str]:
        return sorted({split_of(shard) for shard in self._shards})

    def check(self, selection: Selection) -> None:
        """Raises ConfigError for a split, state, type or form that no pair of this dataset has."""
        books = json.loads(self._read(_STATS))["books"] if _STATS in self._files else {}
        known = {"split": self.splits()} | {name: sorted(books.get(name, {})) for name in _CHOSEN_BY}
        for name, there in known.items():
            for word in getattr(selection, name) or ():
                if there and word not in there:
                    near = difflib.get_close_matches(word, there, n=1, cutoff=0.0)
                    raise ConfigError(
                        f"{name}: {self._root} has no pair of {name} {word!r}; did you mean {near[0]!r}? "
                        f"There are: {', '.join(there)}."
                    )

    def names(self, selection: Selection) -> list[str]:
        """The shards of the wanted splits."""
        return [s for s in self._shards if selection.split is None or split_of(s) in selection.split]

    def columns(self, shard: str, columns: list[str]) -> pa.Table:
        """Some columns of all pairs of a shard."""
        record = self._file(self._shards[shard], "pairs", shard)
        return read_table(self._storage, self._root, record, columns)

    def image_columns(self, shard: str, columns: list[str]) -> pa.Table:
        """Some columns of all images of a shard."""
        record = self._file(self._shards[shard], "images", shard)
        return read_table(self._storage, self._root, record, columns)

    def pairs_of(self, shard: str, selection: Selection) -> list[dict[str, Any]]:
        """The wanted pairs of one shard."""
        record = self._file(self._shards[shard], "pairs", shard)
        rows = read_table(self._storage, self._root, record).to_pylist()
        return [row for row in rows if selection.takes(row)]

    def pairs(self, selection: Selection) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """(shard, its wanted pairs) without the images."""
        for shard in self.names(selection):
            yield shard, self.pairs_of(shard, selection)

    def shards(self, selection: Selection) -> Iterator[ShardRows]:
        """Shard by shard, one in memory at a time; a shard without a wanted pair is left out."""
        for shard, pairs in self.pairs(selection):
            if pairs:
                yield ShardRows(
                    shard, split_of(shard), self.images(shard, {p["image_id"] for p in pairs}), pairs
                )

    def images(self, shard: str, wanted: set[str]) -> dict[str, dict[str, Any]]:
        """The rows of a shard's images by id. Raises IntegrityError where one of them is not there."""
        record = self._file(self._shards[shard], "images", shard)
        table = read_table(self._storage, self._root, record)
        ids = table.column("image_id").to_pylist()
        places = pa.array([i for i, image_id in enumerate(ids) if image_id in wanted], pa.int64())
        rows = table.take(places).to_pylist()
        found = {row["image_id"]: row for row in rows}
        if found.keys() != wanted:
            lost = min(wanted - found.keys())
            raise IntegrityError(
                f"{record.path}: image {lost} of {shard}'s pairs is not there. Run `mht verify`."
            )
        return found

    def _file(self, files: dict[str, FileRecord], kind: str, shard: str) -> FileRecord:
        if kind not in files:
            raise IntegrityError(
                f"{join(self._root, MANIFEST)}: names no {kind} file of shard {shard}. Build again to restore it."
            )
        return files[kind]

    def _read(self, path: str) -> bytes:
        return read_checked(self._storage, self._root, self._files[path])


def split_of(shard: str) -> str:
    """`train` of `train-00000`."""
    return shard.rpartition("-")[0]


def need_column(pair: dict[str, Any], column: str, remedy: str) -> None:
    """Raises InputError where the dataset's pairs have no such column."""
    if column not in pair:
        raise InputError(f"the pairs of this dataset have no column {column!r}. {remedy}")
