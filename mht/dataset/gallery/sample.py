"""Which images the gallery shows: by hash, and so that each kind of pair there is can be seen.

The choice depends on the rows and on nothing else. A few shards are opened, one after the other: the first by hash,
and for each type, form, risk, modality, split and reason of quarantine one that holds it.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mht.artifacts import FileRecord, read_table
from mht.dataset.books import Books, shard_rank
from mht.seeds import digest
from mht.storage import Storage

KINDS = ("type", "form", "risk", "modality", "state", "split")
"""Each word of each of these is shown if there is room."""

_IN_PAIRS = ("type", "form", "risk", "state", "split")
_IMAGE_COLUMNS = [
    "image_id", "split", "image", "width_px", "height_px", "caption", "facts", "modality", "licence",
]  # fmt: skip
_FEWEST_SHARDS, _MOST_SHARDS = 8, 32
_CHOICE = 3
"""So many images are looked at for each one shown, where the first shards hold too few."""
_EACH_KIND = 2
_EXAMPLES = 12

Row = dict[str, Any]
Kind = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """An image of the sample: its row of images/ (some columns) and its rows of pairs/, in their order."""

    image: Row
    pairs: list[Row]

    def rank(self) -> str:
        return _rank(self.image["image_id"])

    def kinds(self) -> set[Kind]:
        """Every word of every column that it shows, and every form that a type comes in."""
        found: set[Kind] = {("modality", self.image["modality"])}
        for pair in self.pairs:
            found.update((name, pair[name]) for name in _IN_PAIRS)
            found.add(("type", pair["type"], "form", pair["form"]))
        return found


@dataclass(frozen=True, slots=True)
class Refused:
    """A reason of quarantine: how many inputs it met, and a few of them (image_id, stage, detail)."""

    reason: str
    count: int
    examples: list[Row]


def looks(storage: Storage, root: str, books: Books, limit: int) -> list[Look]:
    """At most `limit` images with all their pairs, those first that show a kind of pair for the first time."""
    files = _by_stem(books.files)
    shards = _shards(books, files, limit)
    chosen = _Chosen(limit)
    for shard in shards:
        pairs = read_table(storage, root, files[f"pairs/{shard}"])
        images = read_table(storage, root, files[f"images/{shard}"], columns=_IMAGE_COLUMNS)
        chosen.add(pairs, images)
    return chosen.in_order()


class _Chosen:
    """The sample while shards go by: the images that show something new, and of the others the first by hash."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: Counter[Kind] = Counter()
        self._new: list[Look] = []
        self._others: list[Look] = []

    def add(self, pairs: pa.Table, images: pa.Table) -> None:
        """One shard. The bytes are taken out of the table for the chosen images alone."""
        rows = images.drop_columns(["image"]).to_pylist()
        of_image: dict[str, list[Row]] = {row["image_id"]: [] for row in rows}
        for pair in pairs.to_pylist():
            of_image[pair["image_id"]].append(pair)
        last = self._others[-1].rank() if len(self._others) == self._limit else None
        for index in sorted(range(len(rows)), key=lambda i: _rank(rows[i]["image_id"])):
            look = Look(rows[index], of_image[rows[index]["image_id"]])
            new = self._is_new(look)
            if new or (look.pairs and (last is None or look.rank() < last)):
                look.image["image"] = images.column("image")[index].as_py()
                (self._new if new else self._others).append(look)
        self._others = heapq.nsmallest(self._limit, self._others, key=Look.rank)

    def _is_new(self, look: Look) -> bool:
        kinds = look.kinds() if look.pairs else set()
        new = any(self._seen[kind] < _wanted(kind) for kind in kinds)
        if new:
            self._seen.update(kinds)
        return new

    def in_order(self) -> list[Look]:
        first = self._new[: self._limit]
        return first + self._others[: self._limit - len(first)]


def _wanted(kind: Kind) -> int:
    return _EACH_KIND if len(kind) == 2 else 1


def _rank(image_id: str) -> str:
    return digest("look", image_id).hex()


def _by_stem(files: Iterable[FileRecord]) -> Mapping[str, FileRecord]:
    """`pairs/train-00000` and the like: a shard's file of a kind, by its name without the content's hash."""
    return {record.path.rpartition("-")[0]: record for record in files}


def _shards(books: Books, files: Mapping[str, FileRecord], limit: int) -> list[str]:
    named = [stem.partition("/")[2] for stem in files if stem.startswith("images/")]
    first = sorted(named, key=shard_rank)[:_MOST_SHARDS]
    opened: list[str] = []
    images = 0
    for shard in first:
        if len(opened) >= _FEWEST_SHARDS and images >= _CHOICE * limit:
            break
        opened.append(shard)
        images += files[f"images/{shard}"].rows
    witnesses = {shard for (name, _), shard in books.witnesses.items() if name in KINDS}
    return opened + sorted(witnesses - set(opened), key=shard_rank)


def refusals(storage: Storage, root: str, books: Books) -> list[Refused]:
    """Each reason of quarantine, the most frequent first, with up to a dozen examples from one shard or more."""
    files = _by_stem(books.files)
    named = [stem.partition("/")[2] for stem in files if stem.startswith("quarantine/")]
    witnesses = {shard for (name, _), shard in books.witnesses.items() if name == "reason"}
    shards = sorted(witnesses | set(sorted(named, key=shard_rank)[:_MOST_SHARDS]))
    rows: dict[str, list[Row]] = {}
    for row in _quarantined(storage, root, [files[f"quarantine/{shard}"] for shard in shards]):
        rows.setdefault(row["reason"], []).append(row)
    counts = books.counts.get("reason", Counter())
    return [
        Refused(reason, count, _few(rows.get(reason, [])))
        for reason, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def _quarantined(storage: Storage, root: str, files: Sequence[FileRecord]) -> Iterator[Row]:
    for record in files:
        yield from read_table(storage, root, record).to_pylist()


def _few(rows: list[Row]) -> list[Row]:
    return heapq.nsmallest(_EXAMPLES, rows, key=lambda row: _rank(row["image_id"]))
