"""ms-swift: JSON lines of messages and images, `<image>` where the image stands; variant=dpo adds rejected_response.

Source: ms-swift, docs/source_en/Customization/Custom-dataset.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mht.dataset.export._answers import VariantParams, texts
from mht.dataset.export._image_files import PairLines, path_of
from mht.dataset.sink import Sink
from mht.reading import ShardRows

Params = VariantParams


def needs_rejected(params: Params) -> bool:
    return params.variant == "dpo"


class Writer:
    """Writes `<split>.jsonl` and `images/`."""

    def __init__(self, params: Params, sink: Sink) -> None:
        self._params = params
        self._lines = PairLines(sink, ".jsonl", b"", b"\n", b"\n")

    def write(self, shard: ShardRows) -> None:
        self._lines.images(shard)
        lines = self._lines.of(shard.split)
        for pair in shard.pairs:
            question, answer = texts(pair, "question", "answer")
            row: dict[str, Any] = {
                "messages": [
                    {"role": "user", "content": f"<image>{question}"},
                    {"role": "assistant", "content": answer},
                ],
                "images": [path_of(shard.shard, shard.images[pair["image_id"]])],
            }
            if self._params.variant == "dpo":
                (row["rejected_response"],) = texts(pair, "rejected")
            lines.add({**row, "pair_id": pair["pair_id"]})

    def close(self, splits: Sequence[str]) -> str:
        self._lines.close()
        rlhf = " rlhf --rlhf_type dpo" if self._params.variant == "dpo" else " sft"
        return _README.format(command=f"swift{rlhf}", first=splits[0])


_README = """# Instruction pairs for ms-swift

`ROOT_IMAGE_DIR=<this folder> {command} --dataset <this folder>/{first}.jsonl …`
"""
