"""Parquet that Hugging Face's `datasets` reads with its features, the image of several rows stored once.

A row stands for itself, its image with it. In the file the image column is dictionary-encoded, so that the ten pairs
of an image cost its bytes once in each group of rows.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from mht.dataset.sink import Sink

IMAGE_TYPE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
IMAGE_FEATURE = {"_type": "Image"}
STRING_FEATURE = {"dtype": "string", "_type": "Value"}
INT_FEATURE = {"dtype": "int32", "_type": "Value"}
# Small groups for random access; the dictionary of one must hold all of its images.
_GROUP_ROWS = 200
_DICTIONARY_BYTES = 1 << 30


class Tables:
    """`data/<split>-00000.parquet` and so on, one for each shard that has rows."""

    def __init__(self, sink: Sink, schema: pa.Schema, features: dict[str, Any], image_leaf: str) -> None:
        told = {"huggingface": json.dumps({"info": {"features": features}})}
        self._schema = schema.with_metadata(told)
        self._sink = sink
        self._image_leaf = image_leaf
        self._written: Counter[str] = Counter()

    def write(self, split: str, rows: list[dict[str, Any]]) -> None:
        out = io.BytesIO()
        with pq.ParquetWriter(
            out,
            self._schema,
            compression={
                leaf: "none" if leaf == self._image_leaf else "zstd" for leaf in leaves(self._schema)
            },
            use_dictionary=True,
            dictionary_pagesize_limit=_DICTIONARY_BYTES,
            write_statistics=False,
        ) as writer:
            for start in range(0, len(rows), _GROUP_ROWS):
                group = pa.Table.from_pylist(rows[start : start + _GROUP_ROWS], schema=self._schema)
                writer.write_table(group, row_group_size=_GROUP_ROWS)
        self._sink.write(f"data/{split}-{self._written[split]:05d}.parquet", out.getvalue(), len(rows))
        self._written[split] += 1

    def card_head(self) -> str:
        """The YAML that tells `load_dataset` which file is of which split."""
        lines = [f"  - split: {split}\n    path: data/{split}-*.parquet\n" for split in sorted(self._written)]
        return "---\nconfigs:\n- config_name: default\n  data_files:\n" + "".join(lines) + "---\n"


def leaves(schema: pa.Schema) -> list[str]:
    """The paths of the columns as Parquet counts them."""
    return [path for field in schema for path in _paths(field.type, field.name)]


def _paths(kind: pa.DataType, prefix: str) -> list[str]:
    if pa.types.is_struct(kind):
        return [path for field in kind for path in _paths(field.type, f"{prefix}.{field.name}")]
    if pa.types.is_list(kind):
        return _paths(kind.value_type, f"{prefix}.list.element")
    return [prefix]
