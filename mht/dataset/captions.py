"""The caption stage: a shard's captions, cleaned and read into facts, kept by fingerprint.

Its counts of premises add up to the corpus-wide table that detailed balance needs, so this stage runs over every
shard before the first pair is made.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from mht.artifacts import names_below, parquet_bytes, parquet_table
from mht.errors import IntegrityError, StorageMissing
from mht.knowledge.facts import read_facts
from mht.pairing.premises import PremiseSum, PremiseTable
from mht.records import Fact, PlannedImage, Reading, Reason, Refusal
from mht.schemas import CAPTION_SCHEMA
from mht.storage import Storage, join

_FACT_FIELDS = tuple(Fact.__dataclass_fields__)


@dataclass(frozen=True, slots=True)
class CaptionRead:
    """What the caption stage made of one image: a reading with facts, or a refusal."""

    image_id: str
    reading: Reading | None
    refusal: Refusal | None

    def known(self) -> Reading:
        """The reading of an image that was not refused."""
        if self.reading is None:
            raise ValueError(f"image {self.image_id} has no reading: {self.refusal}")
        return self.reading


Clean = Callable[[str | None], str | Refusal]
"""A raw caption, cleaned; or why it cannot be used."""


def read_captions(
    rows: Sequence[PlannedImage], raw: Sequence[str | Refusal | None], clean: Clean
) -> list[CaptionRead]:
    """The readings of a shard's captions, in the plan's order."""
    return [_read_one(row, text, clean) for row, text in zip(rows, raw, strict=True)]


def _read_one(row: PlannedImage, raw: str | Refusal | None, clean: Clean) -> CaptionRead:
    caption = raw if isinstance(raw, Refusal) else clean(raw)
    if isinstance(caption, Refusal):
        return CaptionRead(row.image_id, None, caption)
    reading = read_facts(caption, row.item.modality)
    if reading.facts:
        return CaptionRead(row.image_id, reading, None)
    detail = "the caption names nothing that the lexicon knows; see mht/knowledge/findings.tsv"
    return CaptionRead(row.image_id, reading, Refusal(Reason.NO_FACTS, detail))


def count_premises(read: Sequence[CaptionRead]) -> PremiseTable:
    """The shard's share of the corpus-wide table."""
    table = PremiseTable()
    for row in read:
        if row.refusal is None:
            table.add(row.known())
    return table


class CaptionStore:
    """`captions/<fingerprint>/<shard>-<inputs>.parquet` of one dataset."""

    def __init__(self, storage: Storage, root: str, fingerprint: str) -> None:
        self._storage = storage
        self._folder = join(root, "captions", fingerprint)

    def write(self, key: str, read: Sequence[CaptionRead]) -> None:
        self._storage.write(join(self._folder, f"{key}.parquet"), parquet_bytes(_to_table(read)))

    def read(self, key: str) -> list[CaptionRead] | None:
        """A shard's captions, or None where they were not read yet."""
        try:
            data = self._storage.read(join(self._folder, f"{key}.parquet"))
        except StorageMissing:
            return None
        return list(_from_table(parquet_table(data)))


class PremiseStore:
    """`premises/<fingerprint>/`: each shard's counts, written after its captions, and the table of the whole corpus.

    A shard whose counts are there has its captions, too. What is counted depends on the captions and on how pairs are
    worded, so the fingerprint is the pair stage's.
    """

    def __init__(self, storage: Storage, root: str, fingerprint: str) -> None:
        self._storage = storage
        self._folder = join(root, "premises", fingerprint)

    def done(self) -> set[str]:
        """`<shard>-<inputs>` of every shard that is counted."""
        return set(names_below(self._storage, self._folder, ".counts"))

    def has(self, key: str) -> bool:
        return self._storage.exists(join(self._folder, f"{key}.counts"))

    def write(self, key: str, counts: PremiseTable) -> None:
        self._storage.write(join(self._folder, f"{key}.counts"), _packed(counts))

    def add(self, key: str, total: PremiseSum) -> None:
        """Add a shard's counts to a sum."""
        total.add(self._unpacked(join(self._folder, f"{key}.counts")))

    def write_table(self, total: PremiseSum, name: str) -> None:
        """Write the run's table, the sum over all its shards, unless it is there."""
        self._storage.create(self._table(name), _packed(total))

    def add_up(self, keys: Sequence[str], name: str) -> None:
        """Write the run's table from its shards' counts, unless it is there."""
        if not self.has_table(name):
            total = PremiseSum()
            for key in keys:
                self.add(key, total)
            self.write_table(total, name)

    def has_table(self, name: str) -> bool:
        return self._storage.exists(self._table(name))

    def table(self, name: str) -> PremiseTable:
        return PremiseTable.from_bytes(self._unpacked(self._table(name)))

    def _unpacked(self, uri: str) -> bytes:
        try:
            return zlib.decompress(self._storage.read(uri))
        except zlib.error:
            raise IntegrityError(f"{uri}: not a table of premises. Remove it and build again.") from None

    def _table(self, name: str) -> str:
        return join(self._folder, f"{name}.table")


def _packed(table: PremiseTable | PremiseSum) -> bytes:
    """The same bytes for the same counts, on one zlib; keys repeat their words, so they pack to a tenth."""
    return zlib.compress(table.to_bytes(), level=1)


def _to_table(read: Sequence[CaptionRead]) -> pa.Table:
    readings = [row.reading for row in read]
    columns = {
        "image_id": [row.image_id for row in read],
        "caption": [r.caption if r else None for r in readings],
        "modality": [r.modality if r else None for r in readings],
        "facts": [facts_column(r) if r else None for r in readings],
        "reason": [row.refusal.reason if row.refusal else None for row in read],
        "detail": [row.refusal.detail if row.refusal else None for row in read],
    }
    return pa.table({f.name: pa.array(columns[f.name], f.type) for f in CAPTION_SCHEMA})


def facts_column(reading: Reading) -> list[dict[str, Any]]:
    return [{name: getattr(fact, name) for name in _FACT_FIELDS} for fact in reading.facts]


def facts_from(column: Sequence[Mapping[str, Any]]) -> tuple[Fact, ...]:
    """The facts of a row, as `facts_column` wrote them; lists come back as the tuples that they were."""
    return tuple(Fact(**{**fact, "attributes": tuple(fact["attributes"])}) for fact in column)


def _from_table(table: pa.Table) -> Iterator[CaptionRead]:
    for row in table.to_pylist():
        reading = refusal = None
        if row["caption"] is not None:
            facts = facts_from(row["facts"])
            reading = Reading(row["caption"], facts, row["modality"])
        if row["reason"] is not None:
            refusal = Refusal(Reason(row["reason"]), row["detail"])
        yield CaptionRead(row["image_id"], reading, refusal)
