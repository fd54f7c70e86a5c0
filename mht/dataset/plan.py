"""The plan: every image's identity, split and shard, fixed before anything runs.

Membership of a shard depends on the listing alone, never on workers or on Ray's blocks. A group (patient, case,
figure) lies in one split as a whole. plan.parquet has one row group a shard, so a worker reads only its own.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mht.artifacts import PLAN, FileRecord, write_named
from mht.config import SplitConfig
from mht.errors import InputError, IntegrityError
from mht.records import PlannedImage, SourceItem
from mht.schemas import PLAN_SCHEMA
from mht.seeds import digest, row_fraction
from mht.storage import Storage, join

PROJECT_KEY = "MHT_PROJECT_KEY"
_ITEM_FIELDS = tuple(SourceItem.__dataclass_fields__)
_INPUT_FIELDS = tuple(name for name in _ITEM_FIELDS if name != "group")


@dataclass(frozen=True, slots=True)
class Plan:
    """What the listing became: the file, each shard's images and inputs digest, images a split, groups."""

    file: FileRecord
    shards: dict[str, tuple[int, str]]
    splits: dict[str, int]
    groups: int

    @property
    def images(self) -> int:
        return sum(images for images, _ in self.shards.values())

    def stage_keys(self) -> dict[str, str]:
        return {shard: self.stage_key(shard) for shard in self.shards}

    def stage_key(self, shard: str) -> str:
        """The name under which a stage keeps this shard's output: the shard and what its inputs are."""
        return f"{shard}-{self.shards[shard][1]}"

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Plan:
        shards = {name: (int(images), str(inputs)) for name, (images, inputs) in plain["shards"].items()}
        return cls(FileRecord(**plain["file"]), shards, dict(plain["splits"]), int(plain["groups"]))


def image_id(name: str) -> str:
    """16 hex digits of the name: the same below any root, and never a path."""
    return digest(name, size=8).hex()


def group_id(group: str) -> str:
    """16 hex digits, keyed with the environment's MHT_PROJECT_KEY: a record number cannot be guessed back."""
    key = os.environ.get(PROJECT_KEY, "").encode()[:64]
    return hashlib.blake2b(group.encode("utf-8", "surrogatepass"), digest_size=8, key=key).hexdigest()


def split_of(group: str, seed: int, splits: SplitConfig) -> str:
    """The split of a group, from the group's name and the seed alone."""
    draw = row_fraction(seed, "split", group)
    if draw < splits.train:
        return "train"
    return "validation" if draw < splits.train + splits.validation else "test"


def assign(
    items: Iterable[SourceItem], seed: int, splits: SplitConfig, shard_images: int
) -> Iterator[list[PlannedImage]]:
    """Shards in the order in which they fill up; raises InputError for two items of one name."""
    filling: dict[str, list[PlannedImage]] = {}
    filled: Counter[str] = Counter()
    seen: set[bytes] = set()
    for item in items:
        key = digest(item.name, size=8)
        if key in seen:
            raise InputError(f"the source lists {item.name!r} twice. Names must differ: give an id column.")
        seen.add(key)
        group = item.name if item.group is None else item.group
        split = split_of(group, seed, splits)
        rows = filling.setdefault(split, [])
        shard = f"{split}-{filled[split]:05d}"
        rows.append(PlannedImage(key.hex(), item, group_id(group), split, shard))
        if len(rows) == shard_images:
            filled[split] += 1
            yield filling.pop(split)
    yield from filling.values()


def write_plan(storage: Storage, root: str, shards: Iterable[list[PlannedImage]]) -> Plan:
    """Write plan.parquet. Raises InputError when there is no image at all."""
    sink = io.BytesIO()
    sizes: dict[str, tuple[int, str]] = {}
    splits: Counter[str] = Counter()
    groups: set[str] = set()
    with pq.ParquetWriter(sink, PLAN_SCHEMA, compression="zstd", use_dictionary=["split", "shard"]) as writer:
        for rows in shards:
            writer.write_table(_to_table(rows), row_group_size=len(rows))
            sizes[rows[0].shard] = (len(rows), inputs_digest(rows))
            splits[rows[0].split] += len(rows)
            groups.update(row.group for row in rows)
    if not sizes:
        raise InputError("the source lists no image. Look at source.path and at what is there.")
    file = write_named(storage, root, PLAN, sink.getvalue(), sum(splits.values()))
    return Plan(file, dict(sorted(sizes.items())), dict(sorted(splits.items())), len(groups))


def _to_table(rows: list[PlannedImage]) -> pa.Table:
    columns = {name: [_storable(getattr(row.item, name)) for row in rows] for name in _ITEM_FIELDS}
    columns |= {
        "image_id": [row.image_id for row in rows],
        "group": [row.group for row in rows],
        "split": [row.split for row in rows],
        "shard": [row.shard for row in rows],
    }
    return pa.table({field.name: pa.array(columns[field.name], field.type) for field in PLAN_SCHEMA})


def _storable(value: object) -> object:
    """Text as Arrow can hold it: a name that is not UTF-8 keeps its bytes, escaped behind a NUL."""
    if not isinstance(value, str) or (value.isascii() and not value.startswith("\0")):
        return value
    try:
        value.encode("utf-8")
        plain = not value.startswith("\0")
    except UnicodeEncodeError:
        plain = False
    return value if plain else "\0" + value.encode("unicode_escape").decode("ascii")


def _restored(value: object) -> object:
    if isinstance(value, str) and value.startswith("\0"):
        return value[1:].encode("ascii").decode("unicode_escape")
    return value


class PlanReader:
    """plan.parquet, a shard at a time. A context manager: it keeps the file open."""

    def __init__(self, storage: Storage, root: str) -> None:
        self._input = storage.open_input(join(root, PLAN))
        self._file = pq.ParquetFile(self._input)
        meta = self._file.metadata
        column = self._file.schema_arrow.get_field_index("shard")
        groups = range(meta.num_row_groups)
        self._row_group = {meta.row_group(i).column(column).statistics.min: i for i in groups}

    def __enter__(self) -> PlanReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()
        self._input.close()

    def shards(self) -> list[str]:
        return sorted(self._row_group)

    def read(self, shard: str) -> list[PlannedImage]:
        """The shard's images in the plan's order. Raises IntegrityError for a shard the plan does not name."""
        if shard not in self._row_group:
            raise IntegrityError(f"{PLAN}: no shard {shard!r}. Is this the output of the same run?")
        rows = self._file.read_row_group(self._row_group[shard], use_threads=False).to_pylist()
        return [_from_row(row) for row in rows]

    def _read_ids(self, row_group: int) -> list[str]:
        column = self._file.read_row_group(row_group, columns=["image_id"], use_threads=False).column(0)
        ids: list[str] = column.to_pylist()
        return ids

    def find(self, wanted: str) -> PlannedImage | None:
        """The image of this id, or None. Reads the id column alone until it is found."""
        for shard, index in self._row_group.items():
            ids = self._read_ids(index)
            if wanted in ids:
                rows = self.read(shard)
                return rows[ids.index(wanted)]
        return None


def _from_row(row: dict[str, object]) -> PlannedImage:
    item = SourceItem(**{name: _restored(row[name]) for name in _ITEM_FIELDS})  # type: ignore[arg-type]
    return PlannedImage(str(row["image_id"]), item, str(row["group"]), str(row["split"]), str(row["shard"]))


def inputs_digest(rows: Sequence[PlannedImage]) -> str:
    """16 hex digits over what a shard's rows say of their inputs: names, places, versions, shipped captions."""
    parts = (
        (row.image_id, row.group, row.split, *(getattr(row.item, name) for name in _INPUT_FIELDS))
        for row in rows
    )
    return digest(*parts, size=8).hex()
