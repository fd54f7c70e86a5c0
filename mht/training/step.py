"""One step of training: many passes through the model, one gradient, one move of the optimizer. Torch, never Ray.

The gradient is that of a mean over all ranks and passes: of learnt tokens, each weighted as its exchange, or of
preferences. So it does not depend on how examples were packed or divided, but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import nn
from torch.distributed.fsdp import FSDPModule

from mht.errors import Diverged
from mht.model.optimizer import clip
from mht.model.packing import Batch
from mht.model.ranks import Ranks


@dataclass(frozen=True, slots=True)
class Weighed:
    """What the learnt tokens of each exchange of a rank's batches count for.

    `gradient` and `value` are, batch by batch, factors of the exchanges' sums of -log p [exchanges], over the whole
    step's denominator: the step's gradient and what its loss is told as. `beside` is a part of this rank's loss that
    is known already. `margin` and `preferred` are of the pairs of all ranks, as in Stepped.
    """

    gradient: list[torch.Tensor]
    value: list[torch.Tensor]
    beside: float = 0.0
    margin: float | None = None
    preferred: float | None = None


class Tell(Protocol):
    """Each batch's sums of -log p [exchanges] on the CPU, by a pass without gradient and dropout.

    `learner` is another than the one that is trained. Every rank calls it as often as the others.
    """

    def __call__(self, learner: nn.Module | None = None) -> list[torch.Tensor]: ...


class Objective(Protocol):
    """What is made small. Every rank calls it with its own batches, once a step."""

    dropout: bool
    """Whether the passes with a gradient may have dropout."""

    def weigh(self, batches: Sequence[Batch], tell: Tell, ranks: Ranks) -> Weighed: ...


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step, over all ranks: its loss, the norm of its gradient before clipping, and what was learnt.

    `images` are examples, with an image or without, each once however it was divided. `tokens` is what was computed,
    padding left out; `learnt` what had a loss. `margin` is the pairs' mean of `mht.training.preference`, and
    `preferred` the share of those with one above 0; None without pairs.
    """

    loss: float
    norm: float
    images: int
    exchanges: int
    learnt: int
    tokens: int
    stop: bool
    margin: float | None
    preferred: float | None


class Answers:
    """Supervised fine-tuning: the mean -log p of the right answers' tokens, weighted by exchange."""

    dropout = True

    def weigh(self, batches: Sequence[Batch], tell: Tell, ranks: Ranks) -> Weighed:
        weights = [torch.where(batch.rejected, 0.0, batch.weights) for batch in batches]
        whole = sum(ranks.every(sum(_weight(*pair) for pair in zip(batches, weights, strict=True))))
        shares = [one / whole if whole else torch.zeros_like(one) for one in weights]
        return Weighed(shares, shares)


def _weight(batch: Batch, weights: torch.Tensor) -> float:
    """The weighted number of learnt tokens."""
    return float((weights.double() * learnt_of(batch)).sum())


def learnt_of(batch: Batch) -> torch.Tensor:
    """Learnt tokens of each exchange."""
    return torch.bincount(batch.owner, minlength=len(batch.names))


class Stepper:
    """Takes steps on one rank. `compute` is what the model computes in where the sharding does not see to that."""

    def __init__(
        self,
        learner: nn.Module,
        optimizer: torch.optim.Optimizer,
        objective: Objective,
        ranks: Ranks,
        device: torch.device,
        compute: torch.dtype,
        clip_norm: float,
    ) -> None:
        self._learner = learner
        self._optimizer = optimizer
        self._objective = objective
        self._ranks = ranks
        self._device = device
        self._compute = compute
        self._clip_norm = clip_norm
        self._sharded = isinstance(learner, FSDPModule)

    def step(self, own: Sequence[Batch], spare: Batch, stop: bool) -> Stepped:
        """Learn this rank's batches, which may be none; every rank calls it.

        `spare` is passed through, and counts for nothing, while other ranks have more batches. `stop` is whether this
        rank was asked to stop; what comes back is whether any was. Raises Diverged on every rank where loss or
        gradient is no number.
        """
        told = self._ranks.every((_counts(own), len(own), stop))
        passes = max(count for _, count, _ in told)
        images, exchanges, learnt, tokens = (sum(one) for one in zip(*(n for n, _, _ in told), strict=True))
        idling = [spare] * (passes - len(own))

        def tell(learner: nn.Module | None = None) -> list[torch.Tensor]:
            return self._told(learner or self._learner, own, idling)

        weighed = self._objective.weigh(own, tell, self._ranks)
        self._learner.train(self._objective.dropout)
        self._optimizer.zero_grad(set_to_none=True)
        values = [
            self._learn(batch, gradient, value)
            for batch, gradient, value in zip(own, weighed.gradient, weighed.value, strict=True)
        ]
        for batch in idling:
            # The others are not done yet, and sharded layers are gathered by all or by none.
            self._learn(batch, *[torch.zeros(len(batch.names))] * 2)
        loss = sum(self._ranks.every(weighed.beside + sum(float(value) for value in values)))
        norm = clip(self._learner.parameters(), self._clip_norm)
        if not (_is_number(loss) and _is_number(norm)):
            raise Diverged(f"loss {loss:g}, norm of the gradient {norm:g}")
        if learnt:
            self._optimizer.step()
        stop = any(one for _, _, one in told)
        pairs = weighed.margin, weighed.preferred
        return Stepped(loss, norm, images, exchanges, learnt, tokens, stop, *pairs)

    def _learn(self, batch: Batch, gradient: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
        """Add a batch's part to the gradient; its part of the loss."""
        with computing(self._device, self._compute):
            sums = self._learner(batch.to(self._device)).sums
        # The sharding takes the mean over the ranks where the sum is meant.
        many = self._ranks.count if self._sharded else 1
        (sums * gradient.to(self._device)).sum().mul(many).backward()
        return (sums.detach().double() * value.to(self._device)).sum()

    def _told(self, learner: nn.Module, own: Sequence[Batch], idling: Sequence[Batch]) -> list[torch.Tensor]:
        learner.eval()
        with torch.no_grad(), computing(self._device, self._compute):
            sums: list[torch.Tensor] = [
                learner(batch.to(self._device)).sums.cpu() for batch in [*own, *idling]
            ]
        return sums[: len(own)]


def computing(device: torch.device, compute: torch.dtype) -> AbstractContextManager[Any]:
    """Arithmetic in `compute`, the parameters staying as they are."""
    made: AbstractContextManager[Any] = torch.autocast(device.type, compute, enabled=compute != torch.float32)
    return made


def _counts(batches: Sequence[Batch]) -> tuple[int, int, int, int]:
    """(examples, exchanges, learnt tokens, computed tokens without padding); a step's example is one rank's whole."""
    kept = [~batch.rejected for batch in batches]
    return (
        len({name for batch in batches for name in batch.example_ids}),
        sum(int(one.sum()) for one in kept),
        sum(int(learnt_of(batch)[one].sum()) for batch, one in zip(batches, kept, strict=True)),
        sum(batch.real_tokens for batch in batches),
    )


def _is_number(value: float) -> bool:
    return value - value == 0.0
