"""How far the layers of a model see, as the masks that they want: all that is before, a window of it, an image's tokens
also what is behind.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import torch

Mask: TypeAlias = torch.Tensor | None
"""[rows, 1, queries, columns], whether a query sees a column; None where it sees all that is before it."""
_WINDOWED = ("gemma3_text",)
"""Language models that take a mask for each kind of layer."""


@dataclass(frozen=True, slots=True)
class Sight:
    """`window` is how many tokens, itself the last of them, a sliding layer sees; None where there is none.

    Tokens of the number `image` see each other both ways; None where they see as all others do.
    """

    window: int | None = None
    image: int | None = None

    def beginnings(self, ids: torch.Tensor, mask: Mask) -> Mask:
        """The mask of beginnings, an image in each or none: [rows, columns] of tokens, and what they see as text."""
        if self.image is None:
            return mask
        of_image = ids == self.image
        both = of_image[:, None, :, None] & of_image[:, None, None, :]
        return both | (_before(ids.shape[1], ids.shape[1], ids.device) if mask is None else mask)

    def by_layer(self, mask: Mask, asking: torch.Tensor, seen: torch.Tensor) -> Any:
        """The mask as the model wants it.

        `asking` and `seen` are the places of queries and columns in their row, [rows, queries] and [rows, columns].
        """
        if self.window is None:
            return mask
        queries, columns = asking.shape[1], seen.shape[1]
        if columns <= self.window:
            return {"full_attention": mask, "sliding_attention": mask}
        near = (seen[:, None, :] > asking[:, :, None] - self.window)[:, None]
        whole = mask if mask is not None else _before(queries, columns, seen.device)
        return {"full_attention": mask, "sliding_attention": near & whole}


def _before(queries: int, columns: int, device: torch.device) -> torch.Tensor:
    at = torch.arange(columns, device=device)
    return (at <= at[columns - queries :, None])[None, None]


def sight_of(config: Any) -> Sight | None:
    """How far the layers of a model of these settings see; None where that is not known."""
    text = config.get_text_config()
    kinds = set(getattr(text, "layer_types", None) or ["full_attention"])
    window = getattr(text, "sliding_window", None)
    if text.model_type not in _WINDOWED:
        windowed = window is not None and getattr(text, "use_sliding_window", True)
        return None if windowed or kinds != {"full_attention"} else Sight()
    if kinds - {"full_attention", "sliding_attention"} or getattr(text, "use_bidirectional_attention", False):
        return None
    return Sight(window if "sliding_attention" in kinds else None, getattr(config, "image_token_id", None))
