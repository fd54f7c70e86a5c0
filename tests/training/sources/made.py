"""The same images and pairs in the form of each source: a new file of the family needs a line in MAKE."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from mht.dataset.exporter import export
from tests.dataset.small import Change, write_dataset

Make = Callable[..., dict[str, Any]]
IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def jpeg(number: int, kind: str = "jpeg") -> bytes:
    """A small picture that no other number has."""
    out = io.BytesIO()
    Image.frombytes("L", (24, 16), random.Random(number).randbytes(384)).save(out, kind)
    return out.getvalue()


def write_images(folder: Path, *names: str) -> None:
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(jpeg(number, "png" if name.endswith("png") else "jpeg"))


def write_lines(path: Path, rows: list[Any]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def write_parquet(path: Path, rows: list[dict[str, Any]], group_rows: int = 4, **types: pa.DataType) -> str:
    """Columns as Arrow infers them, but for those of `types`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = {name: pa.array([row.get(name) for row in rows], types.get(name)) for name in rows[0]}
    pq.write_table(pa.table(columns), path, row_group_size=group_rows)
    return str(path)


def _ours(folder: Path, change: Change = list) -> dict[str, Any]:
    write_dataset(str(folder), change=change)
    return {"path": str(folder)}


def _exported(*words: str, path: str = "", **given: Any) -> Make:
    def make(folder: Path, change: Change = list) -> dict[str, Any]:
        dataset = folder.with_name(folder.name + "-of")
        write_dataset(str(dataset), change=change)
        export(str(dataset), str(folder), words)
        return {"path": f"{folder}{path}", **given}

    return make


MAKE: dict[str, Make] = {
    "mht": _ours,
    "llava": _exported("format=llava", path="/[a-z]*.json"),
    "table": _exported("format=hf", id="pair_id", rejected="rejected", shard_examples=3),
    "trl": _exported("format=trl", "variant=dpo", id="pair_id"),
}
"""The Params of a source over write_dataset's images and pairs, written below a folder."""
