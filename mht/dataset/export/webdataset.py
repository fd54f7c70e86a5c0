"""WebDataset: tar shards, one sample an image with the list of its pairs, or one sample a pair.

Source: the WebDataset format (names that share what stands before the first dot are one sample).
"""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from mht.dataset.sink import Sink
from mht.reading import ShardRows

_OF_IMAGE = ("image_id", "caption", "modality", "licence")


class Params(BaseModel):
    """`sample=image`: its pairs are a list in the .json; `sample=pair`: the image is repeated for each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sample: Literal["image", "pair"] = "image"


def needs_rejected(params: Params) -> bool:
    return False


class Writer:
    """Writes `<split>-000000.tar` and so on, numbered without a gap, one for each shard that has rows."""

    def __init__(self, params: Params, sink: Sink) -> None:
        self._params = params
        self._sink = sink
        self._written: Counter[str] = Counter()

    def write(self, shard: ShardRows) -> None:
        out = io.BytesIO()
        samples = 0
        with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for samples, (key, image, told) in enumerate(self._samples(shard), 1):  # noqa: B007 - the last counts
                suffix = image["path"].rpartition(".")[2]
                _add(tar, f"{key}.{suffix}", image["bytes"])
                _add(tar, f"{key}.json", json.dumps(told, ensure_ascii=False, sort_keys=True).encode())
        name = f"{shard.split}-{self._written[shard.split]:06d}.tar"
        self._sink.write(name, out.getvalue(), samples)
        self._written[shard.split] += 1

    def _samples(self, shard: ShardRows) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
        for image, pairs in shard.by_image():
            about = {name: image[name] for name in _OF_IMAGE}
            if self._params.sample == "image":
                yield image["image_id"], image["image"], {**about, "pairs": pairs}
                continue
            for pair in pairs:
                yield pair["pair_id"], image["image"], {**about, **pair}

    def close(self, splits: Sequence[str]) -> str:
        last = self._written[splits[0]] - 1
        return _README.format(pattern=f"{splits[0]}-{{000000..{last:06d}}}.tar", sample=self._params.sample)


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """A member without a time, an owner or a machine's name: the same rows give the same bytes."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(data))


_README = """# Instruction pairs as tar shards

`webdataset.WebDataset("{pattern}", shardshuffle=False).decode("pil")` gives one sample a {sample}: the image under
`jpg` or `png`, the rest under `json`.
"""
