"""Tensors in files: found, sharded, refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from mht.errors import DiskFull, IntegrityError
from mht.model.tensors import INDEX, Part, parts_in, refuse_other, write_shards


def part(*shape: int, dtype: str = "F32") -> Part:
    return Part(dtype, shape, lambda: torch.full(shape, 2.0))


def test_a_shard_holds_what_fits_and_a_large_tensor_stands_alone(tmp_path: Path) -> None:
    parts = {"a": part(10), "b": part(15), "c": part(200), "d": part(1)}
    assert write_shards(parts, tmp_path, limit_bytes=100) == 3
    index = json.loads((tmp_path / INDEX).read_text())
    shards = [f"model-0000{n}-of-00003.safetensors" for n in (1, 2, 3)]
    assert index["weight_map"] == dict(zip("abcd", [shards[0], shards[0], *shards[1:]], strict=True))
    assert index["metadata"]["total_size"] == 4 * 226
    assert torch.equal(load_file(tmp_path / shards[1])["c"], torch.full((200,), 2.0))
    found = parts_in(tmp_path)
    assert {name: (one.dtype, one.shape) for name, one in found.items()} == {
        name: ("F32", one.shape) for name, one in parts.items()
    }
    assert torch.equal(found["b"].read(), torch.full((15,), 2.0))


@pytest.mark.parametrize(("dtype", "wide"), [("BF16", 2), ("F8_E4M3", 1), ("I64", 8), ("BOOL", 1)])
def test_bytes_of_a_number_format(dtype: str, wide: int) -> None:
    assert part(3, 5, dtype=dtype).bytes == 15 * wide


def test_no_room_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(DiskFull, match="4,503,599,627,370,512 bytes are needed"):
        write_shards({"a": part(4), "vast": part(1 << 25, 1 << 25)}, tmp_path, 100)
    assert list(tmp_path.iterdir()) == []


def test_a_name_in_two_files(tmp_path: Path) -> None:
    for file in ("one.safetensors", "two.safetensors"):
        save_file({"a": torch.ones(1)}, tmp_path / file)
    with pytest.raises(IntegrityError, match=r"two.safetensors has a, which another file has"):
        parts_in(tmp_path)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"a": (4,), "b": (2,)}, "1 tensors are missing: b;"),
        ({}, "1 tensors have no place in the model: a;"),
        ({"a": (2, 2)}, r"another shape than the config says: a \(4, wanted 2x2\)"),
    ],
)
def test_parts_that_are_not_those_wanted(
    wanted: dict[str, tuple[int, ...]], said: str, tmp_path: Path
) -> None:
    refuse_other({"a": part(4)}, {"a": (4,)}, tmp_path)
    with pytest.raises(IntegrityError, match=said):
        refuse_other({"a": part(4)}, wanted, tmp_path)
