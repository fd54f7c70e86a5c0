"""Which questions are asked together: parts of a benchmark, an image's side by side, fixed before anything runs."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mht.artifacts import FileRecord, dump_json, write_content
from mht.questions import ImageAt, Question
from mht.seeds import digest
from mht.storage import Storage, join

_PLACE = {"holder": pa.string(), "member": pa.string(), "version": pa.string(), "size_bytes": pa.int64()}
_COLUMNS = tuple(field.name for field in fields(Question) if field.name not in ("image", "options"))
PLAN_SCHEMA = pa.schema(
    {name: pa.string() for name in _COLUMNS} | {"options": pa.list_(pa.string())} | _PLACE
)
"""A question's columns and where its image is; a row group a part."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A benchmark's questions in their file. `asked` is a digest of what is asked, wherever the images lie.

    `images` is a mark of each part's images: where they lie, and their sizes and versions as they were listed. Another
    one says that they must be looked at, since they may be others; the same one that they are the same.
    """

    benchmark: str
    file: FileRecord
    asked: str
    parts: int
    questions: int
    images: tuple[str, ...]

    def names(self) -> list[str]:
        return [part_name(number) for number in range(self.parts)]


def part_name(number: int) -> str:
    """`00042`; also what parts are sorted by."""
    return f"{number:05d}"


def cut(questions: Iterable[Question], size: int) -> list[list[Question]]:
    """Parts of about `size` questions, an image's side by side in one part unless it alone has more.

    Images come in the order of their first questions.
    """
    images: dict[str, list[Question]] = {}
    for question in questions:
        images.setdefault(question.image_id, []).append(question)
    parts: list[list[Question]] = []
    for of_image in images.values():
        if not parts or len(parts[-1]) + len(of_image) > size:
            parts.append([])
        for question in of_image:
            if len(parts[-1]) == size:
                parts.append([])
            parts[-1].append(question)
    return parts


def write_plan(
    storage: Storage, root: str, benchmark: str, questions: Iterable[Question], size: int, held: str
) -> Planned:
    """The questions as they will be asked, under the benchmark's name here.

    `held` is the digest of the benchmark's own files, in which some hold their images.
    """
    parts = cut((replace(question, benchmark=benchmark) for question in questions), size)
    sink, asked, images = io.BytesIO(), hashlib.sha256(), list[str]()
    with pq.ParquetWriter(sink, PLAN_SCHEMA, compression="zstd", use_dictionary=False) as writer:
        for part in parts:
            rows = [_plain(question) for question in part]
            writer.write_table(pa.Table.from_pylist(rows, schema=PLAN_SCHEMA), row_group_size=len(rows))
            for row in rows:
                asked.update(dump_json({name: row[name] for name in (*_COLUMNS, "options")}))
            images.append(
                digest(held, dump_json([[row[name] for name in _PLACE] for row in rows]), size=8).hex()
            )
    count = sum(map(len, parts))
    record = write_content(storage, root, f"plan/{benchmark}", sink.getvalue(), count)
    return Planned(benchmark, record, asked.hexdigest()[:16], len(parts), count, tuple(images))


def _plain(question: Question) -> dict[str, Any]:
    at = question.image
    place = dict.fromkeys(_PLACE) if at is None else {name: getattr(at, name) for name in _PLACE}
    columns = {name: getattr(question, name) for name in _COLUMNS}
    options = None if question.options is None else list(question.options)
    return {**columns, **place, "options": options}


class PlanReader:
    """A benchmark's parts, read one at a time."""

    def __init__(self, storage: Storage, root: str, planned: Planned) -> None:
        self._input = storage.open_input(join(root, planned.file.path))
        self._file = pq.ParquetFile(self._input, pre_buffer=False)

    def read(self, part: str) -> list[Question]:
        table = self._file.read_row_group(int(part), use_threads=False)
        return [_question(row) for row in table.to_pylist()]

    def close(self) -> None:
        self._file.close()
        self._input.close()


def _question(row: dict[str, Any]) -> Question:
    holder, *more = (row.pop(name) for name in _PLACE)
    options = row.pop("options")
    image = None if holder is None else ImageAt(holder, *more)
    return Question(**row, image=image, options=None if options is None else tuple(options))
