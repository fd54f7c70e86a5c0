"""A checkpoint's folder before anything loads it: is it whole, is it safe to read, and which one is it.

Reads JSON and the headers of safetensors files; needs neither torch nor safetensors. A header names every tensor with
its place in the file, so a file that was cut, or is not one, is found without reading its gigabytes. A flipped byte
within the weights is not: safetensors has no checksum.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mht.errors import InputError, IntegrityError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle")
_LIMIT = 100_000_000
"""Bytes of a header; what the safetensors library allows."""
_SETTINGS = (".json", ".jinja", ".model", ".txt", ".py")
"""Config, tokenizer, chat template, processor, code of the model's own."""
_READ_WHOLE, _BLOCKS, _BLOCK = 64 << 20, 64, 64 << 10
"""Bytes of a weight file that is read whole for its digest; else so many blocks of so many bytes."""


def is_commit(revision: str | None) -> bool:
    """A full commit id: a branch or a tag may be moved, this cannot."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def local_folder(model: str) -> Path | None:
    """The folder that `model` names; None for what reads as a hub id and is no folder here.

    Raises InputError for what is neither.
    """
    folder = Path(model)
    if folder.is_dir():
        return folder
    if _HUB_ID.fullmatch(model) and not model.startswith("."):
        return None
    raise InputError(f"model {model!r} is no folder here, and no hub id (owner/name); correct model")


def check_folder(folder: Path, config: str = "config.json") -> None:
    """The config is there, the weights are safetensors, none is cut.

    Raises InputError where there is no config, IntegrityError naming the file for weights that cannot be used.
    """
    if not (folder / config).is_file():
        raise InputError(f"{folder} holds no {config}: it is no checkpoint; correct the path")
    files = weights(folder)
    if not files:
        pickles = [path.name for path in sorted(folder.iterdir()) if path.suffix in _PICKLES]
        if pickles:
            raise IntegrityError(
                f"{folder / pickles[0]} is a pickle, which can run code when it is read; "
                "save the weights as safetensors"
            )
        raise IntegrityError(f"{folder} holds no *.safetensors; copy the weights again")
    for path in files:
        read_header(path)


def weights(folder: Path) -> list[Path]:
    """The weight files: those of the index where there is one, each of them there; else every *.safetensors.

    Raises IntegrityError naming the first file that the index names and the folder lacks.
    """
    indices = sorted(folder.glob("*.safetensors.index.json"))
    if not indices:
        return sorted(folder.glob("*.safetensors"))
    try:
        names = sorted(set(json.loads(indices[0].read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise IntegrityError(f"{indices[0]} is no index of weights; copy the checkpoint again") from None
    for name in names:
        if Path(name).name != name or not (folder / name).is_file():
            raise IntegrityError(f"{indices[0]} names {name}, which is not there; copy the checkpoint again")
    return [folder / name for name in names]


def read_header(path: Path) -> dict[str, Any]:
    """Name to dtype, shape and offsets of each tensor. Raises IntegrityError naming the file if it is not whole."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or not 2 <= length <= min(size - 8, _LIMIT):
            raise IntegrityError(f"{path} is no safetensors file, or was cut in its header; copy it again")
        try:
            header = json.loads(file.read(length))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
            end = max(ends, default=0)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError):
            raise IntegrityError(f"{path} has a header that cannot be read; copy it again") from None
    if size != 8 + length + end:
        raise IntegrityError(
            f"{path} has {size:,} bytes, its header says {8 + length + end:,}; copy it again"
        )
    return dict(header)


def digest(folder: Path) -> str:
    """Which checkpoint a folder holds, wherever it lies: sha256 over its settings and a sample of its weights.

    Of each weight file count the name, the size, the header and, over 64 MiB, 64 blocks spread evenly: another step of
    the same training differs in every block, and 15 GB are not read at each start. One altered byte may go unseen.
    Where no weight is a safetensors file, those of other formats count, which other engines than ours may read.
    """
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in _SETTINGS:
            _add(whole, path.name, path.read_bytes())
    for path in weights(folder) or _others(folder):
        _add(whole, f"{path.name} {path.stat().st_size}", b"".join(_sample(path)))
    return whole.hexdigest()


def _others(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix in (*_PICKLES, ".gguf")]


def _add(whole: Any, name: str, content: bytes) -> None:
    whole.update(f"{name}\0{len(content)}\0".encode() + content)


def _sample(path: Path) -> Iterator[bytes]:
    """All of a small file; header, where it is safetensors, and blocks of a large one."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _READ_WHOLE:
            yield file.read()
            return
        if path.suffix == ".safetensors":
            yield file.read(int.from_bytes(file.read(8), "little"))
        for number in range(_BLOCKS):
            file.seek((size - _BLOCK) * number // (_BLOCKS - 1))
            yield file.read(_BLOCK)
