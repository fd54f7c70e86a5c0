"""What LLaVA's own config says, in transformers' words; and the record from which it can be said again."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, CLIPVisionConfig, LlavaConfig, LlavaForConditionalGeneration

from mht.errors import ConfigError, InputError, IntegrityError
from mht.model.llava_layout import TOWER, activation_of, as_published
from mht.model.tensors import DTYPES, Part, Parts, read_json

RECORD = "llava_layout"
"""The key of a converted config.json that holds what the way back needs; it stays there through training."""
_KEPT = (
    "config.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "generation_config.json", "preprocessor_config.json",
)  # fmt: skip
_KIND = re.compile(r"llava_?(mistral|llama)", re.IGNORECASE)
_OLD_NAMES = {"rope_theta", "rope_scaling"}
_SELECTS = {"patch": "default", "cls_patch": "full"}
_HEAD_WIDTH = 64
"""Of every CLIP that OpenAI published; the weights' shapes do not tell it."""


@dataclass(frozen=True, slots=True)
class Original:
    """A checkpoint of LLaVA's own layout by its config."""

    folder: Path
    plain: Mapping[str, Any]
    text: str
    """The kind of language model: mistral or llama."""

    @property
    def projector(self) -> str:
        return str(self.plain.get("mm_projector_type", "linear"))

    @property
    def pads(self) -> bool:
        """Whether a picture is made square before it is resized; else the middle is cut out."""
        return self.plain.get("image_aspect_ratio") == "pad"

    @property
    def start_end(self) -> bool:
        return bool(self.plain.get("mm_use_im_start_end", False))


def original_in(folder: Path) -> Original:
    """Raises InputError for a folder that holds something else, or what transformers' LLaVA cannot do."""
    plain = read_json(folder / "config.json")
    # LLaVA 1.5 calls itself "llava", as transformers' own does; its class is another.
    kind = _KIND.search(f"{plain.get('model_type')} {plain.get('architectures')}")
    if kind is None:
        hint = "; for the way back say layout=original" if RECORD in plain else ""
        raise InputError(
            f"{folder} holds a {plain.get('model_type')}; only llava_mistral and llava_llama can be converted{hint}"
        )
    _refuse_unsaid(plain, folder)
    return Original(folder, plain, kind[1].lower())


def _refuse_unsaid(plain: Mapping[str, Any], folder: Path) -> None:
    activation_of(str(plain.get("mm_projector_type", "linear")))
    wanted = {
        "image_aspect_ratio": (None, "pad", "square"),
        "mm_patch_merge_type": (None, "flat"),
        "s2": (None, False),
        "mm_vision_select_feature": (None, *_SELECTS),
    }
    for key, allowed in wanted.items():
        if plain.get(key) not in allowed:
            raise InputError(
                f"{folder}: {key} {plain[key]!r} cannot be said in transformers' LLaVA; allowed: "
                f"{', '.join(str(value) for value in allowed if value is not None)}"
            )


def llava_config(original: Original, vision: Any, image_token: int, rows: int, pad: int | None) -> Any:
    """transformers' config of the same model, with a row for the image's token among so many."""
    plain = original.plain
    known = {field.name for field in fields(type(AutoConfig.for_model(original.text)))} | _OLD_NAMES
    said = {key: value for key, value in plain.items() if key in known - {"architectures", "dtype"}}
    text = AutoConfig.for_model(original.text, **said | {"vocab_size": rows, "pad_token_id": pad})
    strategy = _SELECTS[plain.get("mm_vision_select_feature") or "patch"]
    patches = (vision.image_size // vision.patch_size) ** 2
    config = LlavaConfig(
        text_config=text, vision_config=vision, image_token_index=image_token,
        image_seq_length=patches + (strategy == "full"), projector_hidden_act=activation_of(original.projector),
        vision_feature_layer=plain.get("mm_vision_select_layer", -2), vision_feature_select_strategy=strategy,
        tie_word_embeddings=bool(plain.get("tie_word_embeddings", False)),
    )  # fmt: skip
    config.architectures = ["LlavaForConditionalGeneration"]
    return config


def tensors_of(config: Any) -> dict[str, tuple[int, ...]]:
    """Shapes by published names of every tensor of a transformers LLaVA; nothing is allocated."""
    with torch.device("meta"):
        model = LlavaForConditionalGeneration(config)
    empty = {
        name: Part("F32", tuple(tensor.shape), lambda: torch.empty(0))
        for name, tensor in model.state_dict().items()
    }
    return {name: part.shape for name, part in as_published(empty).items()}


def vision_config(original: Original, parts: Parts, folder: Path | None) -> Any:
    """The vision tower's config: the folder's, or what the weights' shapes say of a CLIP of OpenAI's.

    Raises ConfigError where neither tells, InputError for a tower that is no CLIP.
    """
    if folder is None:
        return _from_shapes(original, parts)
    plain = read_json(folder / "config.json")
    if plain.get("model_type") not in ("clip", "clip_vision_model"):
        raise InputError(f"vision_tower: {folder} holds a {plain.get('model_type')}; only CLIP is read")
    within = plain.get("vision_config") if plain["model_type"] == "clip" else plain
    known = {field.name for field in fields(CLIPVisionConfig)} - {"architectures", "dtype"}
    return CLIPVisionConfig(**{key: value for key, value in dict(within or {}).items() if key in known})


def _from_shapes(original: Original, parts: Parts) -> Any:
    name = str(original.plain.get("mm_vision_tower"))
    if "openai/clip-" not in name and "openai--clip-" not in name:
        raise ConfigError(
            f"the vision tower is {name}, and its weights do not tell its heads and activation; "
            "give the folder of its config.json: vision_tower=FOLDER"
        )
    within = {key.removeprefix(f"{TOWER}vision_model."): part.shape for key, part in parts.items()}
    try:
        width, _, patch, _ = within["embeddings.patch_embedding.weight"]
        positions = within["embeddings.position_embedding.weight"][0]
        inner = within["encoder.layers.0.mlp.fc1.weight"][0]
    except (KeyError, ValueError):
        raise IntegrityError(
            f"{original.folder}: the vision tower within is no whole CLIP; give another: vision_tower=FOLDER"
        ) from None
    return CLIPVisionConfig(
        hidden_size=width, intermediate_size=inner, num_attention_heads=max(1, width // _HEAD_WIDTH),
        num_hidden_layers=sum(key.endswith(".mlp.fc1.weight") for key in within),
        patch_size=patch, image_size=math.isqrt(positions - 1) * patch, hidden_act="quick_gelu",
    )  # fmt: skip


def record_of(original: Original, rows: int, tower_inside: bool, image_token_added: bool) -> dict[str, Any]:
    """What the way back needs: the source's settings files, its rows of vocabulary, where its vision tower was."""
    there = {name: original.folder / name for name in _KEPT}
    files = {name: read_json(path) for name, path in there.items() if path.is_file()}
    return {
        "files": files,
        "rows": rows,
        "tower_inside": tower_inside,
        "image_token_added": image_token_added,
    }


def recorded_in(folder: Path) -> dict[str, Any]:
    """The record of a converted checkpoint. Raises InputError where there is none."""
    plain = read_json(folder / "config.json")
    record = plain.get(RECORD)
    if not isinstance(record, dict) or "config.json" not in record.get("files", {}):
        raise InputError(
            f"{folder}: its config.json has no {RECORD}, which `mht convert` leaves there for the way back; "
            "take a checkpoint that was converted, or trained from one"
        )
    return record


def dtype_name(parts: Parts) -> str:
    """The number format of most of the weights, as torch calls it."""
    sizes: dict[str, int] = {}
    for part in parts.values():
        sizes[part.dtype] = sizes.get(part.dtype, 0) + part.bytes
    most = max(sizes, key=lambda name: sizes[name])
    return DTYPES.get(most, most.lower())
