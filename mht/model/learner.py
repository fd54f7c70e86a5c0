"""The module that is trained: a batch in, the loss of each exchange out.

It is the root of what is sharded, so every parameter, the head's included, is used within its `forward`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule

from mht.model.architectures import Architecture, architecture_of, positions
from mht.model.block_attention import use_blocks
from mht.model.block_mask import block_mask
from mht.model.conversation import Prepared
from mht.model.gathered_attention import ARGUMENT, columns, use_gathered
from mht.model.head import given_to_head, head_is_all, on_every_rank
from mht.model.loss import Head, token_losses
from mht.model.packing import Batch, Placed, visible
from mht.model.parts import part_of

T = TypeVar("T")
HEAD_CHUNK = 1024
"""Tokens whose logits are in memory at a time."""


@dataclass(frozen=True, slots=True)
class Losses:
    """Of each exchange of a batch: the sum of -log p over its learnt tokens, float32 [exchanges], and how many."""

    sums: torch.Tensor
    counts: torch.Tensor


class Learner(nn.Module):
    """A vision-language or language model of transformers, as it is or wrapped by PEFT."""

    def __init__(self, model: Any, head_chunk: int = HEAD_CHUNK) -> None:
        super().__init__()
        self.model = model
        self.architecture: Architecture = architecture_of(self.whole.config)
        self._head_chunk = head_chunk
        self._gathers = False
        self._head_is_all: bool | None = None
        """Whether logits are what the head gives and no more; None until a family that is not admitted was seen."""
        self.several = False
        """Whether attention skips what is masked, so that rows may hold several examples at no cost."""

    def skip_masked(self) -> None:
        """Let the language model attend by FlexAttention, whose kernels are for CUDA; the vision tower does not."""
        use_blocks(self.whole.get_decoder())
        self._gathers = False
        self.several = True

    def gather(self) -> None:
        """Let the language model attend by gathering what is seen: skips what is masked on any machine.

        Families that are not admitted, layers that see so many tokens back, and images that see themselves both ways
        stay under a mask.
        """
        one = self.architecture
        if one.admitted and one.image_id is None and set(one.windows.values()) == {None}:
            use_gathered(self.whole.get_decoder())
            self._gathers = self.several = True

    @property
    def whole(self) -> Any:
        """The model of transformers within PEFT's wrapper, or the model itself."""
        inner = getattr(self.model, "get_base_model", None)
        return inner() if inner is not None else self.model

    def place(self, prepared: Prepared) -> Placed:
        """A prepared example with its prefix's positions."""
        prefix = torch.tensor(prepared.prefix)
        return Placed(prepared, *positions(self.whole, self.architecture, prefix, prepared.pixels))

    def within(self, work: Callable[[], T]) -> T:
        """What the work gives; it may use the model's own computation, where that is sharded, too."""
        return work()

    def forward(self, batch: Batch) -> Losses:
        """Losses of the batch's exchanges, in the order of its `names`."""
        losses = self._touching_all(lambda: self._by_token(batch))
        sums = torch.zeros(len(batch.names), device=losses.device)
        counts = torch.bincount(batch.owner, minlength=len(batch.names))
        if not len(batch.targets):
            return Losses(sums + losses.sum(), counts)
        return Losses(sums.index_add(0, batch.owner, losses), counts)

    def _touching_all(self, work: Callable[[], torch.Tensor]) -> torch.Tensor:
        """What the work gives, nothing added to the embeddings as a function of all that only an image passes through.

        So every batch has a gradient of the same parameters, and its way back goes through the same layers in the same
        order: what sharding asks for. In no family does an image pass all of them.
        """
        passed = [p for n, p in self.named_parameters() if p.requires_grad and part_of(n) != "language"]
        if not passed or not torch.is_grad_enabled():
            return work()

        def beside(_: nn.Module, args: tuple[Any, ...], embedded: torch.Tensor) -> torch.Tensor:
            nothing = 0.0 * torch.stack([parameter.float().sum() for parameter in passed]).sum()
            return embedded + nothing.to(embedded.dtype)

        hook = self.whole.get_input_embeddings().register_forward_hook(beside)
        try:
            return work()
        finally:
            hook.remove()

    def _by_token(self, batch: Batch) -> torch.Tensor:
        """-log p of each learnt token, [n]."""
        pixels = {n: t.to(self._dtype) if t.is_floating_point() else t for n, t in batch.pixels.items()}
        if not self.architecture.admitted:
            kinds = self.architecture.by_token(self.whole.config, batch.ids, pixels)
            seen = {"attention_mask": batch.example >= 0, "use_cache": False}
            return self._by_its_own_forward(batch, {"input_ids": batch.ids, **seen, **kinds, **pixels})
        hidden = self.whole.model(
            input_ids=batch.ids, use_cache=False, **self._seeing(batch), **pixels
        ).last_hidden_state
        return self._through_head(hidden, self.whole.lm_head, batch)

    def _by_its_own_forward(self, batch: Batch, inputs: Mapping[str, Any]) -> torch.Tensor:
        """Of a family that is not admitted: logits of all tokens only where more than the head makes them."""
        head = self.whole.get_output_embeddings()
        if head is not None and self._head_is_all is not False:
            hidden, first = given_to_head(self.whole, inputs)
            if self._head_is_all is None:
                found = hidden.shape[:2] == batch.ids.shape and head_is_all(head, hidden, first)
                # Sharded, every rank goes through the layers as often as the others.
                self._head_is_all = (
                    on_every_rank(found, hidden.device) if isinstance(self, FSDPModule) else found
                )
            if self._head_is_all:
                return self._through_head(hidden, head, batch)
        return _picked(self.whole(**inputs).logits, batch)

    def _through_head(self, hidden: torch.Tensor, head: Head, batch: Batch) -> torch.Tensor:
        flat = hidden.flatten(0, 1)
        chosen = flat[batch.at] if len(batch.at) else flat[:1]
        return token_losses(chosen, head, batch.targets, self._head_chunk)

    def _seeing(self, batch: Batch) -> Mapping[str, Any]:
        """The mask, or one for each kind of layer, and the positions that the model is given."""
        axes = batch.positions if self.architecture.axes > 1 else batch.positions[0]
        if self._gathers:
            # A mask of four axes is taken as it is: none is made that nobody reads.
            none = batch.ids.new_empty((0, 0, 0, 0))
            return {"attention_mask": none, "position_ids": axes, ARGUMENT: columns(batch, self._dtype)}
        make = block_mask if self.several else visible
        one = self.architecture
        masks = {kind: make(batch, window, one.image_id) for kind, window in one.windows.items()}
        mask = masks if one.by_kind else next(iter(masks.values()))
        return {"attention_mask": mask, "position_ids": axes}

    @property
    def _dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.whole.dtype
        return dtype


def _picked(logits: torch.Tensor, batch: Batch) -> torch.Tensor:
    flat = logits.flatten(0, 1)
    if not len(batch.targets):
        return flat[:1].sum(dim=-1).float() * 0
    return nn.functional.cross_entropy(flat[batch.at].float(), batch.targets, reduction="none")
