"""Folders with bad files among good ones: the names, the bytes, and what was written of them."""

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mht.dataset.plan import image_id
from tests.imaging.hostile import OK, HostileCase, corpus

STRANGE = (
    b"new\nline.jpg",
    b"tab\tand\rreturn.jpg",
    "right\u202eto\u2066left.jpg".encode(),
    b"up..\\..\\windows.jpg",
    b"%2e%2e%2f..%2fetc%2fpasswd",
    b"up ../deep../x.jpg",
    b"-rf",
    b"$(touch owned);`id`.jpg",
    b"'quoted\" and <tagged>.jpg",
    b"*?[a-z].jpg",
    b"not-utf-8-\xff\xfe.jpg",
    b"\x1b[31mred\x1b[0m.jpg",
    b"CON",
    b"trailing. ",
    "\U0001f9e0\u200d\u0301.jpg".encode(),
    b"a" * 200 + b"/" + b"b" * 100,
    b"s3:%2f%2fbucket%2fkey.jpg",
    b"{image_id}%s%n.jpg",
)


@dataclass(frozen=True)
class Described:
    """An image of a folder: its place, what its listing calls it, its caption."""

    path: Path
    name: str
    caption: str

    @property
    def image_id(self) -> str:
        return image_id(self.name)


def put(folder: Path, raw_name: bytes, data: bytes, caption: str) -> Described:
    """A file and the caption beside it; the name is taken byte by byte."""
    path = Path(os.fsdecode(os.path.join(os.fsencode(folder), raw_name)))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    side = Path(os.fsdecode(os.path.splitext(os.fsencode(path))[0] + b".txt"))
    side.write_text(caption, encoding="utf-8")
    return Described(path, raw_name.decode("utf-8", "backslashreplace"), caption)


def lines_of(phantoms: Path) -> list[tuple[bytes, str]]:
    """Bytes and caption of each phantom whose caption says something."""
    rows = [json.loads(line) for line in (phantoms / "metadata.jsonl").read_text().splitlines()]
    return [((phantoms / r["file_name"]).read_bytes(), r["caption"]) for r in rows]


def refused_cases(count: int, seed: int) -> list[HostileCase]:
    cases = [case for case in corpus() if case.outcome != OK]
    return random.Random(seed).sample(cases, count)


def tables(output: Path, kind: str) -> list[dict[str, Any]]:
    return [
        row for path in sorted(output.glob(f"{kind}/*.parquet")) for row in pq.read_table(path).to_pylist()
    ]
