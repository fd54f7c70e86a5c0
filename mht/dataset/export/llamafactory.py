"""LLaMA-Factory: JSON lines in its `sharegpt` form with `dataset_info.json`; with variant=dpo a ranking dataset.

Source: LLaMA-Factory, data/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import Field

from mht.artifacts import dump_json
from mht.dataset.export._answers import VariantParams, texts
from mht.dataset.export._image_files import PairLines, path_of
from mht.dataset.sink import Sink
from mht.reading import ShardRows


class Params(VariantParams):
    """`name`: each split's dataset is `<name>_<split>` in dataset_info.json."""

    name: str = Field(default="mht", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")


def needs_rejected(params: Params) -> bool:
    return params.variant == "dpo"


class Writer:
    """Writes `<split>.jsonl`, `images/` and `dataset_info.json`."""

    def __init__(self, params: Params, sink: Sink) -> None:
        self._params = params
        self._sink = sink
        self._lines = PairLines(sink, ".jsonl", b"", b"\n", b"\n")

    def write(self, shard: ShardRows) -> None:
        self._lines.images(shard)
        lines = self._lines.of(shard.split)
        for pair in shard.pairs:
            image = path_of(shard.shard, shard.images[pair["image_id"]])
            lines.add({"id": pair["pair_id"], **self._turns(pair), "images": [image]})

    def _turns(self, pair: dict[str, Any]) -> dict[str, Any]:
        question, answer = texts(pair, "question", "answer")
        asked = {"from": "human", "value": f"<image>{question}"}
        if self._params.variant == "sft":
            return {"conversations": [asked, {"from": "gpt", "value": answer}]}
        (rejected,) = texts(pair, "rejected")
        return {
            "conversations": [asked],
            "chosen": {"from": "gpt", "value": answer},
            "rejected": {"from": "gpt", "value": rejected},
        }

    def close(self, splits: Sequence[str]) -> str:
        self._lines.close()
        columns = {"messages": "conversations", "images": "images"}
        shared: dict[str, Any] = {"formatting": "sharegpt", "columns": columns}
        if self._params.variant == "dpo":
            shared = {
                **shared,
                "ranking": True,
                "columns": {**columns, "chosen": "chosen", "rejected": "rejected"},
            }
        info = {f"{self._params.name}_{split}": {"file_name": f"{split}.jsonl", **shared} for split in splits}
        self._sink.write("dataset_info.json", dump_json(info))
        stage = self._params.variant
        return _README.format(name=f"{self._params.name}_{splits[0]}", stage=stage)


_README = """# Instruction pairs for LLaMA-Factory

In the training YAML: `dataset_dir: <this folder>`, `dataset: {name}`, `stage: {stage}`. Images are found below
`dataset_dir` unless `media_dir` says otherwise.
"""
