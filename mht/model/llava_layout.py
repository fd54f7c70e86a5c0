"""LLaVA's own layout of tensors, in which LLaVA-Med v1.5 is published, and that of transformers.

=================================================  =============================================================
LLaVA (`llava_mistral`, `llava_llama`)             transformers (`llava`), as published checkpoints have it
=================================================  =============================================================
model.embed_tokens, model.layers, model.norm       language_model.model.…
lm_head                                            language_model.lm_head
model.mm_projector.0, model.mm_projector.2         multi_modal_projector.linear_1, multi_modal_projector.linear_2
model.vision_tower.vision_tower.vision_model       vision_tower.vision_model
=================================================  =============================================================

The projector of transformers has two layers always. One of a single layer (`linear`, `mlp1x_gelu`) becomes that layer,
no activation, and a second one that changes nothing; the sums of the identity are exact. LLaVA has no token for an
image and puts its features in; transformers looks the token up first, so its row must be there: `grown` adds rows.

Source: haotian-liu/LLaVA, llava/model (llava_arch.py, multimodal_projector/builder.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import torch

from mht.errors import InputError
from mht.model.tensors import Part, Parts

TOWER = "model.vision_tower.vision_tower."
_PROJECTOR, _LINEAR = "model.mm_projector.", "multi_modal_projector.linear_"
_EMBEDDING, _HEAD = "language_model.model.embed_tokens.weight", "language_model.lm_head.weight"
_BUFFERS = re.compile(r"rotary_emb\.inv_freq$|embeddings\.position_ids$")
"""Constants that old versions wrote among the weights."""
_VISION = re.compile(r"(?:vision_model\.)?((?:embeddings|encoder|pre_layrnorm|post_layernorm)\..+)")
_LAYERS = {"linear": ("",), "mlp1x_gelu": ("0.",), "mlp2x_gelu": ("0.", "2.")}
"""Projector type to the names of its layers."""
_TO_TRANSFORMERS = (
    (TOWER, "vision_tower."),
    ("model.embed_tokens.", "language_model.model.embed_tokens."),
    ("model.layers.", "language_model.model.layers."),
    ("model.norm.", "language_model.model.norm."),
    ("lm_head.", "language_model.lm_head."),
)
_AS_PUBLISHED = (
    (r"^model\.language_model\.", "language_model.model."),
    (r"^lm_head\.", "language_model.lm_head."),
    (r"^model\.(?=vision_tower\.|multi_modal_projector\.)", ""),
    (r"^vision_tower\.(?!vision_model\.)", "vision_tower.vision_model."),
)


def activation_of(projector: str) -> str:
    """What transformers calls the projector's activation. Raises InputError for one that it cannot express."""
    if projector not in _LAYERS:
        raise InputError(
            f"mm_projector_type {projector!r} cannot be said in transformers' LLaVA, which has two layers; "
            f"there are: {', '.join(_LAYERS)}"
        )
    return "gelu" if len(_LAYERS[projector]) == 2 else "linear"


def without_buffers(parts: Parts) -> dict[str, Part]:
    """The parts without the constants that old versions wrote among the weights."""
    return {name: part for name, part in parts.items() if not _BUFFERS.search(name)}


def tower_of(parts: Parts) -> dict[str, Part]:
    """The vision tower of a CLIP checkpoint (the whole of CLIP, or its vision model) by LLaVA's names."""
    found = ((_VISION.fullmatch(name), part) for name, part in without_buffers(parts).items())
    return {f"{TOWER}vision_model.{match[1]}": part for match, part in found if match}


def to_transformers(parts: Parts, projector: str) -> dict[str, Part]:
    """The parts by transformers' names; a name that is not LLaVA's stays as it is."""
    made = {_renamed(name, _TO_TRANSFORMERS): part for name, part in parts.items()}
    for number, layer in enumerate(_LAYERS[projector], 1):
        for kind in ("weight", "bias"):
            _move(made, f"{_PROJECTOR}{layer}{kind}", f"{_LINEAR}{number}.{kind}")
    if len(_LAYERS[projector]) == 1 and f"{_LINEAR}1.weight" in made:
        made |= _second_layer(made[f"{_LINEAR}1.weight"])
    return made


def as_published(parts: Parts) -> dict[str, Part]:
    """Parts of a transformers LLaVA by the names that published checkpoints have, however they were saved."""

    def named(name: str) -> str:
        for pattern, new in _AS_PUBLISHED:
            name = re.sub(pattern, new, name)
        return name

    return {named(name): part for name, part in parts.items()}


def to_original(parts: Parts, projector: str, rows: int, tower_inside: bool) -> dict[str, Part]:
    """Published transformers parts by LLaVA's names, the vocabulary cut to so many rows."""
    made = {
        name: _cut(part, rows) if name in (_EMBEDDING, _HEAD) else part
        for name, part in parts.items()
        if tower_inside or not name.startswith("vision_tower.")
    }
    if len(_LAYERS[projector]) == 1:
        made |= _one_layer(made)
        del made[f"{_LINEAR}2.weight"], made[f"{_LINEAR}2.bias"]
    for number, layer in enumerate(_LAYERS[projector], 1):
        for kind in ("weight", "bias"):
            _move(made, f"{_LINEAR}{number}.{kind}", f"{_PROJECTOR}{layer}{kind}")
    back = [(new, old) for old, new in _TO_TRANSFORMERS]
    return {_renamed(name, back): part for name, part in made.items()}


def rows_of(parts: Parts) -> int:
    """How many tokens the model of a published transformers layout has rows for; 0 where there are none."""
    return parts[_EMBEDDING].shape[0] if _EMBEDDING in parts else 0


def grown(parts: Parts, rows: int) -> dict[str, Part]:
    """The vocabulary with so many rows, the new ones the mean of the others.

    The logit of such a row is the mean of the others' and never above the largest: greedy decoding takes none.
    """
    return {name: _grown(part, rows) if name in (_EMBEDDING, _HEAD) else part for name, part in parts.items()}


def _renamed(name: str, prefixes: Iterable[tuple[str, str]]) -> str:
    for old, new in prefixes:
        if name.startswith(old):
            return new + name.removeprefix(old)
    return name


def _move(parts: dict[str, Part], old: str, new: str) -> None:
    if old in parts:
        parts[new] = parts.pop(old)


def _changed(part: Part, shape: tuple[int, ...], change: Callable[[torch.Tensor], torch.Tensor]) -> Part:
    return replace(part, shape=shape, read=lambda: change(part.read()))


def _cut(part: Part, rows: int) -> Part:
    return _changed(part, (rows, *part.shape[1:]), lambda tensor: tensor[:rows].clone())


def _grown(part: Part, rows: int) -> Part:
    def change(tensor: torch.Tensor) -> torch.Tensor:
        mean = tensor.mean(0, dtype=torch.float32).to(tensor.dtype)
        return torch.cat([tensor, mean.expand(rows - len(tensor), -1)])

    return _changed(part, (rows, *part.shape[1:]), change) if rows > part.shape[0] else part


def _second_layer(first: Part) -> dict[str, Part]:
    """A layer that changes nothing."""
    width, dtype = first.shape[0], first.torch_dtype
    return {
        f"{_LINEAR}2.weight": Part(first.dtype, (width, width), lambda: torch.eye(width, dtype=dtype)),
        f"{_LINEAR}2.bias": Part(first.dtype, (width,), lambda: torch.zeros(width, dtype=dtype)),
    }


def _one_layer(parts: Mapping[str, Part]) -> dict[str, Part]:
    """Two layers without an activation as one: the first as it is where the second changes nothing."""
    weight, bias, second, shift = (
        parts[f"{_LINEAR}{number}.{kind}"] for number in (1, 2) for kind in ("weight", "bias")
    )

    def untouched() -> bool:
        return torch.equal(second.read(), torch.eye(second.shape[0], dtype=second.torch_dtype)) and not bool(
            shift.read().any()
        )

    def product(tensor: torch.Tensor, plus: torch.Tensor | float) -> torch.Tensor:
        if untouched():
            return tensor
        return (second.read().double() @ tensor.double() + plus).to(tensor.dtype)

    return {
        f"{_LINEAR}1.weight": _changed(weight, weight.shape, lambda tensor: product(tensor, 0.0)),
        f"{_LINEAR}1.bias": _changed(bias, bias.shape, lambda tensor: product(tensor, shift.read().double())),
    }
