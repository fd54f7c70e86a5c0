"""TRL: conversational rows with their image, for SFTTrainer or, with variant=dpo, DPOTrainer.

Source: TRL, docs/source/dataset_formats.md (vision datasets: prompt-completion and preference).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from mht.dataset.export._answers import VariantParams
from mht.dataset.export._parquet import IMAGE_FEATURE, IMAGE_TYPE, STRING_FEATURE, Tables
from mht.dataset.sink import Sink
from mht.reading import ShardRows

Params = VariantParams

_PART = pa.struct([("type", pa.string()), ("text", pa.string())])
_MESSAGES = pa.list_(pa.struct([("role", pa.string()), ("content", pa.list_(_PART))]))
_MESSAGES_FEATURE = [{"role": STRING_FEATURE, "content": [{"type": STRING_FEATURE, "text": STRING_FEATURE}]}]
_COLUMNS = {"sft": {"completion": "answer"}, "dpo": {"chosen": "answer", "rejected": "rejected"}}
_TRAINERS = {"sft": "SFTTrainer", "dpo": "DPOTrainer"}


def needs_rejected(params: Params) -> bool:
    return params.variant == "dpo"


class Writer:
    """Writes `data/<split>-*.parquet` with images, prompt and completion, or prompt, chosen and rejected."""

    def __init__(self, params: Params, sink: Sink) -> None:
        self._variant = params.variant
        self._answers = _COLUMNS[params.variant]
        spoken = ["prompt", *self._answers]
        schema = pa.schema(
            [
                ("images", pa.list_(IMAGE_TYPE)),
                *((name, _MESSAGES) for name in spoken),
                ("pair_id", pa.string()),
            ]
        )
        features: dict[str, Any] = {"images": [IMAGE_FEATURE]} | {name: _MESSAGES_FEATURE for name in spoken}
        features["pair_id"] = STRING_FEATURE
        self._tables = Tables(sink, schema, features, "images.list.element.bytes")

    def write(self, shard: ShardRows) -> None:
        self._tables.write(shard.split, [self._row(shard, pair) for pair in shard.pairs])

    def _row(self, shard: ShardRows, pair: dict[str, Any]) -> dict[str, Any]:
        asked = [{"type": "image", "text": None}, {"type": "text", "text": pair["question"]}]
        row = {name: [_says("assistant", [_text(pair[column])])] for name, column in self._answers.items()}
        row["images"] = [shard.images[pair["image_id"]]["image"]]
        return {**row, "prompt": [_says("user", asked)], "pair_id": pair["pair_id"]}

    def close(self, splits: Sequence[str]) -> str:
        readme = _README.format(trainer=_TRAINERS[self._variant], first=splits[0])
        return self._tables.card_head() + readme


def _says(role: str, content: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": role, "content": content}


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


_README = """
# Instruction pairs for TRL

`datasets.load_dataset("<this folder>", split="{first}")` is a `train_dataset` of `trl.{trainer}` for a vision-language
model. Give `max_length=None`, so that no image token is cut off.
"""
