"""AdamW without decay of biases and norms, a linear warm-up into a cosine, clipping by the norm of all gradients."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn
from torch.distributed.tensor import DTensor


@dataclass(frozen=True, slots=True)
class Schedule:
    """Steps count from 0. The rate rises to `peak` over `warmup` steps, then falls to `peak * final` at the last."""

    peak: float
    warmup: int
    total: int
    final: float

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        if step < self.warmup:
            return self.peak * (step + 1) / self.warmup
        way = (step - self.warmup) / max(1, self.total - 1 - self.warmup)
        down = (1 + math.cos(math.pi * min(1.0, way))) / 2
        return self.peak * (self.final + (1 - self.final) * down)


def adamw(
    module: nn.Module, learning_rate: float, weight_decay: float, betas: tuple[float, float], epsilon: float
) -> torch.optim.AdamW:
    """Over what is trained, after sharding. Parameters with one axis (biases, norms) do not decay."""
    trained = [parameter for parameter in module.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]
    there = [group for group in groups if group["params"]]
    return torch.optim.AdamW(there, lr=learning_rate, betas=betas, eps=epsilon)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def clip(parameters: Iterable[nn.Parameter], most: float) -> float:
    """Scale the gradients so that their norm over all ranks is at most `most`; returns what it was."""
    trained = [parameter for parameter in parameters if parameter.grad is not None]
    norm = nn.utils.get_total_norm([p.grad for p in trained if p.grad is not None], foreach=True)
    if isinstance(norm, DTensor):
        norm = norm.full_tensor()
    nn.utils.clip_grads_with_norm_(trained, most, norm, foreach=True)
    return float(norm)
