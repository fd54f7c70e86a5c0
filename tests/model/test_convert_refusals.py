"""What `mht convert` refuses, and that it leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from mht.errors import ConfigError, InputError, IntegrityError, MhtError, RunConflict
from mht.model.convert import convert
from mht.model.llava_config import RECORD
from mht.pretrained.files import weights
from tests.model import llava_med


def add(folder: Path, name: str, tensor: torch.Tensor) -> None:
    path = weights(folder)[0]
    save_file(load_file(path) | {name: tensor}, path, metadata={"format": "pt"})


def drop(folder: Path, wanted: Callable[[str], bool]) -> None:
    for path in weights(folder):
        kept = {name: tensor for name, tensor in load_file(path).items() if not wanted(name)}
        save_file(kept, path, metadata={"format": "pt"})


def configure(folder: Path, **changes: Any) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"mm_projector_type": "mlp3x_gelu"}, InputError, "mm_projector_type 'mlp3x_gelu' .* mlp2x_gelu"),
        ({"mm_projector_type": "resampler"}, InputError, "mm_projector_type 'resampler'"),
        ({"image_aspect_ratio": "anyres"}, InputError, "image_aspect_ratio 'anyres' .* pad, square"),
        ({"mm_vision_select_feature": "cls"}, InputError, "mm_vision_select_feature 'cls'"),
        ({"model_type": "llava_mpt", "architectures": []}, InputError, "holds a llava_mpt"),
        ({"num_hidden_layers": 3}, IntegrityError, r"9 tensors are missing: language_model.model.layers.2\S+,"),
        ({"intermediate_size": 80}, IntegrityError, r"6 tensors have another shape .* \(64x96, wanted 64x80"),
    ],
)  # fmt: skip
def test_a_config_that_cannot_be_converted(
    changes: dict[str, Any],
    error: type[MhtError],
    said: str,
    copy: Path,
    source: llava_med.Tiny,
    tmp_path: Path,
) -> None:
    configure(copy, **changes)
    refused(error, said, copy, tmp_path, f"vision_tower={source.tower_folder}")


def refused(error: type[MhtError], said: str, source: Path, tmp_path: Path, *words: str) -> None:
    """The error says so, and nothing is left of the attempt."""
    before = set(tmp_path.iterdir())
    with pytest.raises(error, match=said):
        convert(str(source), str(tmp_path / "out"), words)
    assert set(tmp_path.iterdir()) == before


def test_tensors_left_over_are_named_the_first_five(
    copy: Path, source: llava_med.Tiny, tmp_path: Path
) -> None:
    for number in range(6):
        add(copy, f"model.vision_resampler.{number}", torch.ones(1))
    said = r"6 tensors have no place in the model: model.vision_resampler.0, (\S+ ){4}and 1 more"
    refused(IntegrityError, said, copy, tmp_path, f"vision_tower={source.tower_folder}")


def test_a_missing_vision_tower(copy: Path, source: llava_med.Tiny, tmp_path: Path) -> None:
    drop(copy, lambda name: name.startswith(llava_med.TOWER))
    refused(InputError, "no vision tower, and tower-of-the-tests .* vision_tower=FOLDER", copy, tmp_path)
    refused(InputError, "is no folder with a config.json", copy, tmp_path, f"vision_tower={tmp_path / 'no'}")
    bare = shutil.copytree(source.tower_folder, tmp_path / "bare")
    (bare / "model.safetensors").rename(bare / "pytorch_model.bin")
    refused(IntegrityError, "pytorch_model.bin is a pickle", copy, tmp_path, f"vision_tower={bare}")
    configure(bare, model_type="siglip")
    refused(InputError, "holds a siglip", source.folder, tmp_path, f"vision_tower={bare}")


def test_a_tower_within_that_nothing_describes(source: llava_med.Tiny, copy: Path, tmp_path: Path) -> None:
    refused(ConfigError, "do not tell its heads and activation", source.folder, tmp_path)
    configure(copy, mm_vision_tower="openai/clip-vit-base-patch16")
    drop(copy, lambda name: name.endswith("patch_embedding.weight"))
    refused(IntegrityError, "is no whole CLIP", copy, tmp_path)


def test_pickles_and_cut_files_are_refused(copy: Path, tmp_path: Path) -> None:
    path = weights(copy)[1]
    path.write_bytes(path.read_bytes()[:-1])
    refused(IntegrityError, path.name, copy, tmp_path)
    for file in copy.glob("*.safetensors*"):
        file.unlink()
    (copy / "pytorch_model.bin").write_bytes(b"\x80\x04")
    refused(
        IntegrityError, "is a pickle, which can run code .* save the weights as safetensors", copy, tmp_path
    )


@pytest.mark.parametrize("spoilt", ["{}", "{"])
def test_a_tokenizer_that_cannot_be_read(
    spoilt: str, copy: Path, source: llava_med.Tiny, tmp_path: Path
) -> None:
    (copy / "tokenizer.json").write_text(spoilt)
    said = "tokenizer of .* cannot be read"
    refused(InputError, said, copy, tmp_path, f"vision_tower={source.tower_folder}")


def test_no_tokenizer_and_one_that_needs_a_package(
    copy: Path, source: llava_med.Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (copy / "tokenizer.json").unlink()
    tower = f"vision_tower={source.tower_folder}"
    refused(InputError, "neither tokenizer.json nor tokenizer.model", copy, tmp_path, tower)
    (copy / "tokenizer.model").write_bytes(b"pieces")
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    refused(ConfigError, "pip install sentencepiece", copy, tmp_path, tower)


def test_an_output_that_is_there_stays_as_it_is(source: llava_med.Tiny, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    refused(RunConflict, "is there already", source.folder, tmp_path)
    assert list((tmp_path / "out").iterdir()) == []


def test_settings_that_cannot_be_used(source: llava_med.Tiny, converted: Path, tmp_path: Path) -> None:
    refused(ConfigError, "layout", source.folder, tmp_path, "layout=llava")
    refused(ConfigError, "did you mean 'vision_tower'", source.folder, tmp_path, "vision_towr=x")
    refused(ConfigError, "tower_inside is for layout=original", source.folder, tmp_path, "tower_inside=true")
    refused(ConfigError, "vision_tower is for", converted, tmp_path, "layout=original", "vision_tower=x")
    refused(InputError, "for the way back say layout=original", converted, tmp_path)
    refused(InputError, f"no {RECORD}", source.folder, tmp_path, "layout=original")
    with pytest.raises(ConfigError, match="into a folder here"):
        convert(str(source.folder), "s3://bucket/out", [])
