"""Hugging Face `datasets`: Parquet of one row a pair, its image (feature `Image`) and every column of the dataset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mht.dataset.export._answers import SupervisedParams
from mht.dataset.export._parquet import IMAGE_FEATURE, IMAGE_TYPE, INT_FEATURE, STRING_FEATURE, Tables
from mht.dataset.sink import Sink
from mht.reading import ShardRows
from mht.schemas import PAIR_SCHEMA

Params = SupervisedParams
# Of the image, beside its bytes; what says whose it is, or how its file was, stays in the dataset.
_OF_IMAGE = ("caption", "modality", "licence")


def needs_rejected(params: Params) -> bool:
    return False


class Writer:
    """Writes `data/<split>-*.parquet`."""

    def __init__(self, params: Params, sink: Sink) -> None:
        fields = [("image", IMAGE_TYPE)] + [(field.name, field.type) for field in PAIR_SCHEMA]
        self._schema = pa.schema(fields + [(name, pa.string()) for name in _OF_IMAGE])
        features: dict[str, Any] = {field.name: _feature(field.type) for field in self._schema}
        features["image"] = IMAGE_FEATURE
        self._tables = Tables(sink, self._schema, features, "image.bytes")

    def write(self, shard: ShardRows) -> None:
        rows = []
        for pair in shard.pairs:
            image = shard.images[pair["image_id"]]
            rows.append({**pair, "image": image["image"], **{name: image[name] for name in _OF_IMAGE}})
        self._tables.write(shard.split, rows)

    def close(self, splits: Sequence[str]) -> str:
        return self._tables.card_head() + _README


def _feature(kind: pa.DataType) -> dict[str, str]:
    return INT_FEATURE if pa.types.is_integer(kind) else STRING_FEATURE


_README = """
# Instruction pairs for `datasets`

`datasets.load_dataset("<this folder>")` gives one row a pair: its image, question, answer and every other column.
"""
