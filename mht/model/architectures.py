"""What of a family of models decides how exchanges share an image: positions, who sees whom, which inputs it wants.

A family is admitted by the parity test (tests/model/test_parity.py): loss and gradient of exchanges that share an image
equal those of separate rows. The others are trained in separate rows, with a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

_FLAT = frozenset(
    {"llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "internvl"}
    | {"llama", "mistral", "qwen2", "qwen3", "gemma3_text"}
)
"""A token's position is its number."""
_AXES = frozenset({"qwen2_5_vl", "qwen2_5_vl_text", "qwen3_vl", "qwen3_vl_text"})
"""An image's tokens have a time, a height and a width for their position."""
_BOTH_WAYS = frozenset({"gemma3"})
"""Tokens of one image see each other both ways."""
ADMITTED = _FLAT | _AXES | _BOTH_WAYS
_BY_TOKEN = {"gemma3": "token_type_ids", "qwen2_5_vl": "mm_token_type_ids", "qwen3_vl": "mm_token_type_ids"}
"""What the model's own forward wants to be told of each token: whether it is an image's."""
_ALL = "full_attention"


@dataclass(frozen=True, slots=True)
class Architecture:
    """What is known of a model's family.

    `axes` is the number of a token's positions. `windows` names the kinds of layers of its language model with how many
    tokens back each sees, None for all; `by_kind` is whether the model is given a mask for each kind. `image_id` is the
    token of an image whose tokens see each other both ways, None where they do not.
    """

    name: str
    admitted: bool
    axes: int = 1
    windows: Mapping[str, int | None] = field(default_factory=lambda: {_ALL: None})
    by_kind: bool = False
    image_id: int | None = None

    def by_token(
        self, config: Any, ids: torch.Tensor, pixels: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """What the model's own forward wants to be told of each token beside its id, [rows, columns] each."""
        if self.name not in _BY_TOKEN or not pixels:
            return {}
        return {_BY_TOKEN[self.name]: (ids == config.image_token_id).int()}


def architecture_of(config: Any) -> Architecture:
    """The architecture of a model by its configuration: both the whole and its language model must be admitted."""
    text = config.get_text_config()
    name = config.model_type
    kinds = set(getattr(text, "layer_types", None) or ())
    return Architecture(
        name=name,
        admitted={name, text.model_type} <= ADMITTED,
        axes=3 if name in _AXES else 1,
        windows=_windows(text, kinds),
        by_kind=bool(kinds - {_ALL}),
        image_id=config.image_token_id if name in _BOTH_WAYS else None,
    )


def _windows(text: Any, kinds: set[str]) -> dict[str, int | None]:
    """By the kind of the layer; a model that names no kinds has its window in all layers."""
    used = getattr(text, "use_sliding_window", True)
    window = getattr(text, "sliding_window", None) if used else None
    if not kinds:
        return {_ALL: window}
    return {kind: None if kind == _ALL else window for kind in sorted(kinds)}


def positions(
    model: Any, architecture: Architecture, prefix: torch.Tensor, pixels: Mapping[str, torch.Tensor]
) -> tuple[torch.Tensor, int]:
    """Positions of a prefix [axes, tokens] and the position that comes behind it.

    `model` is the whole one, `pixels` are of the prefix's one image.
    """
    count = prefix.shape[0]
    if architecture.axes == 1 or not pixels:
        return torch.arange(count).expand(architecture.axes, count), count
    kinds = (prefix == model.config.image_token_id).int()[None]
    grid = pixels["image_grid_thw"].cpu()
    whole, delta = model.model.get_rope_index(prefix[None], kinds, image_grid_thw=grid)
    return whole[:, 0], count + int(delta.item())
