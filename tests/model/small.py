"""A module of two layers and a training of it that is the same every time."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn


class Small(nn.Module):
    """Two layers, the second of them trained alone when `frozen`."""

    def __init__(self, seed: int = 0, width: int = 8, frozen: bool = False) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = nn.Linear(4, width)
        self.second = nn.Linear(width, 2)
        self.first.requires_grad_(not frozen)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(torch.tanh(self.first(x)))


def optimizer_of(module: nn.Module) -> torch.optim.Optimizer:
    return torch.optim.AdamW([p for p in module.parameters() if p.requires_grad], lr=1e-2)


def train_step(module: nn.Module, optimizer: torch.optim.Optimizer, step: int) -> float:
    """One step on what the step's number says; the loss."""
    draw = torch.Generator().manual_seed(step)
    x, y = torch.randn(6, 4, generator=draw), torch.randn(6, 2, generator=draw)
    optimizer.zero_grad()
    loss: Any = nn.functional.mse_loss(module(x), y)
    loss.backward()
    optimizer.step()
    return float(loss.item())
