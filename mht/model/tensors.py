"""Tensors that lie in safetensors files, read one at a time, and written again in shards.

What is done to a tensor on its way is done when its shard is written: no more than one shard is in memory.
"""

from __future__ import annotations

import json
import math
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mht.artifacts import dump_json
from mht.errors import DiskFull, IntegrityError
from mht.pretrained.files import read_header, weights

INDEX = "model.safetensors.index.json"
DTYPES = {"F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64"}
"""What a safetensors header calls a number format, and what torch does."""
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A tensor that is not in memory yet: `dtype` as a safetensors header has it, `read` gives the tensor."""

    dtype: str
    shape: tuple[int, ...]
    read: Callable[[], torch.Tensor]

    @property
    def bytes(self) -> int:
        bits = re.search(r"\d+", self.dtype)
        return math.prod(self.shape) * (int(bits[0]) // 8 if bits else 1)

    @property
    def torch_dtype(self) -> torch.dtype:
        dtype: torch.dtype = getattr(torch, DTYPES[self.dtype])
        return dtype


Parts = Mapping[str, Part]
"""Parts by the names of their tensors."""


def parts_in(folder: Path) -> dict[str, Part]:
    """Every tensor of a checkpoint's weight files. Raises IntegrityError for a name that two files have."""
    found: dict[str, Part] = {}
    for path in weights(folder):
        for name, entry in read_header(path).items():
            if name == "__metadata__":
                continue
            if name in found:
                raise IntegrityError(
                    f"{path} has {name}, which another file has, too; copy the weights again"
                )
            found[name] = Part(entry["dtype"], tuple(entry["shape"]), _reader(path, name))
    return found


def _reader(path: Path, name: str) -> Callable[[], torch.Tensor]:
    def read() -> torch.Tensor:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensor: torch.Tensor = file.get_tensor(name)
        return tensor

    return read


def refuse_other(parts: Parts, wanted: Mapping[str, tuple[int, ...]], where: Path) -> None:
    """Raise IntegrityError, naming the first five, unless the parts are those wanted, in names and shapes."""
    _refuse("are missing", where, [name for name in wanted if name not in parts])
    _refuse("have no place in the model", where, [name for name in parts if name not in wanted])
    wrong = [
        f"{name} ({_face(part.shape)}, wanted {_face(wanted[name])})"
        for name, part in parts.items()
        if part.shape != wanted[name]
    ]
    _refuse("have another shape than the config says", where, wrong)


def _face(shape: Sequence[int]) -> str:
    return "x".join(map(str, shape))


def _refuse(what: str, where: Path, names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        raise IntegrityError(
            f"{where}: {len(names)} tensors {what}: {', '.join(sorted(names)[:_SHOWN])}{more}; "
            "config and weights must be of one model"
        )


def write_shards(parts: Parts, folder: Path, limit_bytes: int) -> int:
    """Write the tensors in their order, so many bytes a file at most, and the index; returns the number of files.

    A tensor over the limit has a file of its own. Raises DiskFull, before anything is written, where there is no room.
    """
    total = sum(part.bytes for part in parts.values())
    free = shutil.disk_usage(folder).free
    if total > free:
        raise DiskFull(f"{folder.parent}: {total:,} bytes are needed and {free:,} are free; make room there")
    shards = list(_shards(parts, limit_bytes))
    names: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file({name: parts[name].read() for name in shard}, folder / file, metadata={"format": "pt"})
        names |= dict.fromkeys(shard, file)
    index = {"metadata": {"total_size": total}, "weight_map": names}
    (folder / INDEX).write_bytes(dump_json(index))
    return len(shards)


def _shards(parts: Parts, limit_bytes: int) -> Iterator[list[str]]:
    shard: list[str] = []
    size = 0
    for name, part in parts.items():
        if shard and size + part.bytes > limit_bytes:
            yield shard
            shard, size = [], 0
        shard.append(name)
        size += part.bytes
    yield shard


def read_json(path: Path) -> dict[str, Any]:
    """A settings file. Raises IntegrityError for what is no JSON object."""
    try:
        plain = json.loads(path.read_bytes())
    except ValueError:
        plain = None
    if not isinstance(plain, dict):
        raise IntegrityError(f"{path} holds no JSON object; copy the checkpoint again")
    return plain
