"""A model in memory, and what is known of it: how it computes, counts positions, and ends a reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch

from mht.engines._cache import KeysValues
from mht.engines._prompts import Pixels, Reader
from mht.engines._sight import Sight, sight_of
from mht.pretrained import loading

# Architectures whose shared prefixes give the text of separate calls; tests/engines/test_parity.py holds each to it.
ADMITTED = frozenset({
    "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "internvl",
    "qwen2_5_vl", "qwen2_5_vl_text", "qwen3_vl", "qwen3_vl_text", "gemma3", "gemma3_text",
    "llama", "mistral", "qwen2", "qwen3",
})  # fmt: skip


class Forward(Protocol):
    """The model's computation: logits [rows, vocabulary] of the last column; keys and values go into the cache.

    `mask` is as `Sight.by_layer` gives it.
    Of a single row that holds several, `told` are the columns whose logits are wanted: [columns, vocabulary].
    """

    def __call__(
        self,
        ids: torch.Tensor,
        mask: Any,
        positions: torch.Tensor,
        cache: Any,
        pixels: Pixels,
        told: torch.Tensor | None = None,
    ) -> torch.Tensor: ...


def _at_once(work: Callable[[], Any]) -> Any:
    return work()


def _as_they_are(logits: torch.Tensor) -> torch.Tensor:
    return logits


@dataclass(slots=True)
class Begun:
    """What beginnings gave, a row each: keys and values, which columns are real, next position, last logits."""

    layers: list[KeysValues]
    real: torch.Tensor
    next: torch.Tensor
    logits: torch.Tensor


@dataclass(frozen=True)
class Loaded:
    """A model and what is known of it. `context` is in tokens, `ends` are the tokens that end a reply.

    Where the model is divided among ranks that all answer alike, `within` is where it computes otherwise than by
    `forward`, and `agreed` gives everyone the same logits then.
    """

    model: Any
    reader: Reader
    forward: Forward
    device: torch.device
    context: int
    ends: frozenset[int]
    pad: int
    shares: bool
    sight: Sight
    within: Callable[[Callable[[], Any]], Any] = _at_once
    agreed: Callable[[torch.Tensor], torch.Tensor] = _as_they_are

    def placed(self, tensor: torch.Tensor) -> torch.Tensor:
        """On the model's device, and in its number format if it is no integer."""
        dtype = self.model.dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(self.device, dtype)

    def padded(self, rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and which of them are real, padded on the left."""
        width = max(1, *map(len, rows))
        ids = torch.tensor([[self.pad] * (width - len(row)) + list(row) for row in rows], device=self.device)
        counts = torch.tensor([[len(row)] for row in rows], device=self.device)
        return ids, torch.arange(width, device=self.device) >= width - counts

    def positions(
        self, ids: torch.Tensor, real: torch.Tensor, pixels: Mapping[str, torch.Tensor]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Positions of padded beginnings, as the model wants them, and the position that comes next in each row."""
        flat, count = (real.cumsum(1) - 1).clamp(min=0), real.sum(1)
        if not self._three_axes or not pixels:
            return self.further(flat), count
        kinds = (ids == self.model.config.image_token_id).int()
        whole, delta = self.model.model.get_rope_index(
            ids, kinds, image_grid_thw=pixels["image_grid_thw"], attention_mask=real
        )
        return whole, count + delta[:, 0]

    def further(self, flat: torch.Tensor) -> torch.Tensor:
        """Positions of text, as the model wants them."""
        return flat.expand(3, -1, -1) if self._three_axes else flat

    @property
    def _three_axes(self) -> bool:
        """Whether an image's tokens have a time, a height and a width for their position."""
        return bool(self.model.config.model_type.startswith(("qwen2_5_vl", "qwen3_vl")))


class _Whole:
    """The model itself as a Forward."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __call__(
        self,
        ids: torch.Tensor,
        mask: Any,
        positions: torch.Tensor,
        cache: Any,
        pixels: Pixels,
        told: torch.Tensor | None = None,
    ) -> torch.Tensor:
        made = self._model(
            input_ids=ids, attention_mask=mask, position_ids=positions, cache=cache, use_cache=True,
            logits_to_keep=1 if told is None else told, **pixels,
        )  # fmt: skip
        logits: torch.Tensor = made.logits[:, -1] if told is None else made.logits[0]
        return logits


def loaded(model: Any, reader: Reader) -> Loaded:
    """What is known of a model in memory and the reader of its prompts."""
    tokenizer = reader.tokenizer
    ends, sight = loading.ends_of(model, tokenizer), sight_of(model.config)
    return Loaded(
        model=model,
        reader=reader,
        forward=_Whole(model),
        device=model.device,
        context=loading.context_of(model.config),
        ends=ends,
        pad=tokenizer.pad_token_id if tokenizer.pad_token_id is not None else min(ends, default=0),
        shares=sight is not None
        and {model.config.model_type, model.config.get_text_config().model_type} <= ADMITTED,
        sight=sight or Sight(),
    )
