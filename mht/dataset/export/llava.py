"""LLaVA's own JSON: a list of {id, image, conversations}, the image named by its path, one file a split.

Source: LLaVA, docs/Finetune_Custom_Data.md.
"""

from __future__ import annotations

from collections.abc import Sequence

from mht.dataset.export._answers import SupervisedParams, texts
from mht.dataset.export._image_files import PairLines, path_of
from mht.dataset.sink import Sink
from mht.reading import ShardRows

Params = SupervisedParams


def needs_rejected(params: Params) -> bool:
    return False


class Writer:
    """Writes `<split>.json` and `images/`."""

    def __init__(self, params: Params, sink: Sink) -> None:
        self._lines = PairLines(sink, ".json", b"[\n", b",\n", b"\n]\n")

    def write(self, shard: ShardRows) -> None:
        self._lines.images(shard)
        lines = self._lines.of(shard.split)
        for pair in shard.pairs:
            question, answer = texts(pair, "question", "answer")
            lines.add(
                {
                    "id": pair["pair_id"],
                    "image": path_of(shard.shard, shard.images[pair["image_id"]]),
                    "conversations": [
                        {"from": "human", "value": f"<image>\n{question}"},
                        {"from": "gpt", "value": answer},
                    ],
                }
            )

    def close(self, splits: Sequence[str]) -> str:
        self._lines.close()
        return _README.format(first=splits[0])


_README = """# Instruction pairs for LLaVA

Give `--data_path {first}.json --image_folder .` in this folder to LLaVA's trainer.
"""
