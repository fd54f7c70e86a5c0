"""The work itself, for the contestants that are written by hand: the functions of mht on plain lists.

No Ray and no Daft here: both import this in their worker processes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from mht.captioners import given
from mht.config import BuildConfig
from mht.dataset.captions import facts_column, facts_from
from mht.dataset.plan import group_id, image_id, split_of
from mht.dataset.stages import pairing_context
from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.knowledge.facts import read_facts
from mht.pairing.context import PairingContext
from mht.pairing.premises import PremiseTable
from mht.pairing.twins import make_pairs
from mht.records import NormalisedImage, PlannedImage, Reading, Refusal, SourceItem
from mht.schemas import FACT_TYPE, PAIR_SCHEMA

_HEADER = {
    "width_px": pa.int32(), "height_px": pa.int32(), "source_width_px": pa.int32(),
    "source_height_px": pa.int32(), "source_format": pa.string(), "source_sha256": pa.string(),
    "pixel_hash": pa.binary(),
}  # fmt: skip
READ_TYPE = pa.struct([("caption", pa.string()), ("modality", pa.string()), ("facts", pa.list_(FACT_TYPE))])
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), *_HEADER.items()])
PAIRS_TYPE = pa.list_(pa.struct(list(PAIR_SCHEMA)))


def list_inputs(folder: Path) -> list[PlannedImage]:
    """The folder's images in the order of their names, with the ids and splits that `mht build` gives them."""
    config = BuildConfig()
    rows = []
    with (folder / "metadata.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            name, group = told["file_name"], told["group"]
            item = SourceItem(name=name, uri=str(folder / name), group=group, caption=told["caption"])
            split = split_of(group, config.seed, config.splits)
            rows.append(PlannedImage(image_id(name), item, group_id(group), split, ""))
    return sorted(rows, key=lambda row: row.item.name)


def input_columns(rows: Sequence[PlannedImage]) -> dict[str, list[str]]:
    """The same as plain columns, for a data frame."""
    return {
        "image_id": [row.image_id for row in rows],
        "split": [row.split for row in rows],
        "group": [row.group for row in rows],
        "path": [row.item.uri for row in rows],
        "raw_caption": [row.item.caption or "" for row in rows],
    }


def read(raw: str | None) -> Reading | None:
    """A caption, cleaned and read; None where it is of no use."""
    cleaned = given.caption(raw, given.Params())
    if isinstance(cleaned, Refusal):
        return None
    reading = read_facts(cleaned)
    return reading if reading.facts else None


def count(readings: Iterable[Reading | None]) -> bytes:
    """How often each premise is true in these readings."""
    table = PremiseTable()
    for reading in readings:
        if reading is not None:
            table.add(reading)
    return table.to_bytes()


def write_sum(counts: Iterable[bytes | None], path: Path) -> None:
    """The corpus-wide table, as a file that every worker reads once."""
    table = PremiseTable()
    for part in counts:
        if part is not None:
            table.merge(PremiseTable.from_bytes(part))
    path.write_bytes(table.to_bytes())


@lru_cache(maxsize=1)
def context(table_path: str) -> PairingContext:
    """The pair stage's settings with the corpus-wide table."""
    table = PremiseTable.from_bytes(Path(table_path).read_bytes())
    return replace(pairing_context(BuildConfig().resolved()), table=table)


@lru_cache(maxsize=1)
def _params() -> ImagingParams:
    return ImagingParams()


def decode(path: str) -> NormalisedImage | None:
    """The normalised image of a file; None where it is refused."""
    image = normalise(Path(path).read_bytes(), _params())
    return image if isinstance(image, NormalisedImage) else None


def read_column(raw: Sequence[str]) -> tuple[list[dict[str, Any] | None], list[bytes | None]]:
    """Readings as plain rows; beside the first of them what the whole batch adds to the table of premises."""
    readings = [read(text) for text in raw]
    rows = [
        {"caption": r.caption, "modality": r.modality, "facts": facts_column(r)} if r else None
        for r in readings
    ]
    return rows, [count(readings), *[None] * (len(rows) - 1)]


def image_column(paths: Sequence[str]) -> list[dict[str, Any] | None]:
    """Images as plain rows."""
    decoded = [decode(path) for path in paths]
    return [
        {"bytes": image.data, **{name: getattr(image, name) for name in _HEADER}} if image else None
        for image in decoded
    ]


def pairs_column(
    ids: Sequence[str], splits: Sequence[str], read_rows: Sequence[dict[str, Any] | None], table_path: str
) -> list[list[dict[str, Any]]]:
    """The pairs of each image as plain rows."""
    settings = context(table_path)
    made: list[list[dict[str, Any]]] = []
    for one, split, row in zip(ids, splits, read_rows, strict=True):
        if row is None:
            made.append([])
            continue
        reading = Reading(row["caption"], facts_from(row["facts"]), row["modality"])
        made.append([asdict(pair) for pair in make_pairs(one, split, reading, settings).pairs])
    return made
