"""What of a family of models decides how exchanges share an image: positions, who sees whom, which inputs it wants.

A family is admitted by the parity test (tests/model/test_parity.py): loss and gradient of exchanges that share an image
equal those of separate rows. The others are trained in separate rows, with a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

_FLAT = frozenset({"llava", "idefics3", "smolvlm", "llama", "mistral", "qwen2", "qwen3"})
"""A token's position is its number."""
_AXES = frozenset({"qwen2_5_vl", "qwen2_5_vl_text"})
"""An image's tokens have a time, a height and a width for their position."""
ADMITTED = _FLAT | _AXES


@dataclass(frozen=True, slots=True)
class Architecture:
    """What is known of a model's family.

    `axes` is the number of a token's positions. `windows` names the kinds of layers of its language model with how
    many tokens back each sees, None for all.
    """

    name: str
    admitted: bool
    axes: int = 1
    windows: Mapping[str, int | None] = field(default_factory=lambda: {"full_attention": None})

    def by_token(
        self, config: Any, ids: torch.Tensor, pixels: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        """What the model's own forward wants to be told of each token beside its id, [rows, columns] each."""
        if self.axes == 1 or not pixels:
            return {}
        return {"mm_token_type_ids": (ids == config.image_token_id).int()}


def architecture_of(config: Any) -> Architecture:
    """The architecture of a model by its configuration: both the whole and its language model must be admitted."""
    text = config.get_text_config()
    kinds = {config.model_type, text.model_type}
    windows = _windows(text)
    admitted = kinds <= ADMITTED and set(windows.values()) == {None}
    return Architecture(config.model_type, admitted, 3 if config.model_type in _AXES else 1, windows)


def _windows(text: Any) -> dict[str, int | None]:
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    window = getattr(text, "sliding_window", None) if getattr(text, "use_sliding_window", True) else None
    if kinds == {"full_attention"}:
        return {"full_attention": window if not getattr(text, "layer_types", None) else None}
    return {kind: None if kind == "full_attention" else window for kind in sorted(kinds)}


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
