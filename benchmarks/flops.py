"""What a step of training must compute, in floating-point operations: the arithmetic limit of sharing an image.

Counted are products of matrices, two operations a multiplication:

    vision tower   2 x its linear weights x patches + 4 x layers x width x pairs of patches that see each other
    projector      2 x its weights x image tokens
    language model 2 x its linear weights x tokens x passes
    attention      4 x layers x width x pairs of tokens that see each other x 3
    head           2 x its weights x learnt tokens x passes

`passes` is one forward, one back to the layer's input, and one more for the weights' own gradient where all are
trained: 2 with LoRA, 3 without. Attention's way back is twice its way forward; a kernel that computes scores again, or
scores that a mask then hides, does more. The vision tower is frozen: one pass. Left out, as small: LoRA's own products,
norms, rotations, softmax, the optimizer; and that the first layer sends nothing further back.

Rows of their own repeat prefix and image for each exchange; packed rows have both once. Padding counts for nothing, nor
does a head over tokens that are not learnt, or a picture that is decoded ten times: a trainer can be slower than this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mht.model.conversation import Prepared

ATTENTION_PASSES = 3
PATCH_PX = 14
WINDOW_PATCHES = 64
FULL, LORA = 3, 2
"""Passes through a linear layer whose weights are all trained, and through one with LoRA beside it."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """Of a model: weights of the linear layers that each token, image token or patch meets."""

    language: int
    layers: int
    width: int
    head: int
    projector: int
    vision: int
    vision_layers: int
    vision_width: int


@dataclass(frozen=True, slots=True)
class Work:
    """What goes through a model. `pairs` are of tokens of which one sees the other, itself included."""

    tokens: int = 0
    pairs: int = 0
    learnt: int = 0
    image_tokens: int = 0
    patches: int = 0
    patch_pairs: int = 0

    def __add__(self, other: Work) -> Work:
        return Work(*(getattr(self, n) + getattr(other, n) for n in self.__slots__))


def operations(sizes: Sizes, work: Work, passes: int) -> float:
    """Floating-point operations of a step."""
    vision = 2 * sizes.vision * work.patches + 4 * sizes.vision_layers * sizes.vision_width * work.patch_pairs
    projector = 2 * sizes.projector * work.image_tokens
    linear = 2 * passes * (sizes.language * work.tokens + sizes.head * work.learnt)
    attention = 4 * ATTENTION_PASSES * sizes.layers * sizes.width * work.pairs
    return float(vision + projector + linear + attention)


def sizes_of(model: Any) -> Sizes:
    """Of a LLaVA or Qwen2.5-VL of transformers, LoRA's weights left out."""
    decoder = model.get_decoder()
    text = model.config.get_text_config()
    heads = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    inner = model.model
    tower = inner.visual if hasattr(inner, "visual") else inner.vision_tower
    merger = inner.visual.merger if hasattr(inner, "visual") else inner.multi_modal_projector
    eyes = model.config.vision_config
    beside = _weights(merger) if hasattr(inner, "visual") else 0
    return Sizes(
        language=_weights(decoder),
        layers=text.num_hidden_layers,
        width=heads * text.num_attention_heads,
        head=text.hidden_size * text.vocab_size,
        projector=_weights(merger),
        vision=_weights(tower) - beside,
        vision_layers=getattr(eyes, "depth", None) or eyes.num_hidden_layers,
        vision_width=eyes.hidden_size,
    )


def _weights(module: Any) -> int:
    """Of linear layers and of the convolution that makes patches."""
    import torch

    counted = (torch.nn.Linear, torch.nn.Conv2d, torch.nn.Conv3d)
    return sum(
        one.weight.numel()
        for name, one in module.named_modules()
        if isinstance(one, counted) and "lora_" not in name
    )


def work_of(prepared: Sequence[Prepared], share: bool, image_id: int) -> Work:
    """Of examples, each prefix once where it is shared and once an exchange where it is not."""
    total = Work()
    for one in prepared:
        lengths = [len(suffix.ids) for suffix in one.suffixes]
        image_tokens = one.prefix.count(image_id)
        patches, patch_pairs = _patches(one.pixels)
        image = Work(0, 0, 0, image_tokens, patches, patch_pairs)
        images = 1 if share else len(lengths)
        prefix = len(one.prefix)
        behind = sum(length * prefix + _below(length) for length in lengths)
        learnt = sum(sum(suffix.learnt) for suffix in one.suffixes)
        total += Work(images * prefix + sum(lengths), images * _below(prefix) + behind, learnt)
        for _ in range(images):
            total += image
    return total


def _below(tokens: int) -> int:
    return tokens * (tokens + 1) // 2


def _patches(pixels: Any) -> tuple[int, int]:
    """(patches of an image, pairs that see each other), with the class token where there is one."""
    if "image_grid_thw" in pixels:
        count = int(pixels["image_grid_thw"].prod(-1).sum())
        # The few layers of Qwen2.5-VL that see the whole image count as the others, so the sum is rather too low.
        return count, count * min(count, WINDOW_PATCHES)
    if "pixel_values" in pixels:
        height, width = pixels["pixel_values"].shape[-2:]
        count = (height // PATCH_PX) * (width // PATCH_PX) + 1
        return count, count * count
    return 0, 0
