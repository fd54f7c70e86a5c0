"""Image files beside a text file, for the formats that name them by path: images/<shard>/<image id>.jpg."""

from __future__ import annotations

from typing import Any

from mht.dataset.sink import Lines, Sink
from mht.reading import ShardRows


def path_of(shard: str, image: dict[str, Any]) -> str:
    """The file's path below the export's root."""
    return f"images/{shard}/{image['image']['path']}"


class PairLines:
    """One text file a split, `<split><suffix>`, and the shard's images beside it."""

    def __init__(self, sink: Sink, suffix: str, head: bytes, between: bytes, tail: bytes) -> None:
        self._sink = sink
        self._suffix = suffix
        self._around = (head, between, tail)
        self._open: dict[str, Lines] = {}

    def images(self, shard: ShardRows) -> None:
        wanted = (shard.images[image_id]["image"] for image_id in {p["image_id"] for p in shard.pairs})
        members = {image["path"]: image["bytes"] for image in wanted}
        self._sink.write_folder(f"images/{shard.shard}", dict(sorted(members.items())))

    def of(self, split: str) -> Lines:
        if split not in self._open:
            self._open[split] = self._sink.lines(split + self._suffix, *self._around)
        return self._open[split]

    def close(self) -> None:
        for _, lines in sorted(self._open.items()):
            lines.close()
