"""How a stage of the making trains: its steps and its two optimizers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_WARM = 50
_CLIP = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """Steps of `batch` rows. Matrices between layers learn by Muon at `muon`, all else by AdamW at `rate`.

    Both rise over 50 steps and fall along a cosine. `seed` draws the rows.
    """

    steps: int
    batch: int
    muon: float
    rate: float
    seed: int

    def train(self, module: nn.Module, batches: Iterator[Any]) -> Iterator[Any]:
        """Yield a batch for each step; the caller's `backward` leaves gradients, which are then taken."""
        optimizers = self._optimizers(module)
        for step in range(self.steps):
            share = min(1.0, (step + 1) / _WARM) * 0.5 * (1 + math.cos(math.pi * step / self.steps))
            for optimizer, rate in optimizers:
                optimizer.zero_grad()
                for group in optimizer.param_groups:
                    group["lr"] = rate * share
            yield next(batches)
            nn.utils.clip_grad_norm_(module.parameters(), _CLIP)
            for optimizer, _ in optimizers:
                optimizer.step()

    def _optimizers(self, module: nn.Module) -> list[tuple[Any, float]]:
        named = [(name, p) for name, p in module.named_parameters() if p.requires_grad]
        inner = [p for name, p in named if ".layers." in name and p.ndim == 2]
        ids = {id(p) for p in inner}
        outer = [p for _, p in named if id(p) not in ids]
        muon = torch.optim.Muon(inner, self.muon, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
        adamw = torch.optim.AdamW(outer, self.rate, betas=(0.9, 0.98), weight_decay=0.01)
        return [(muon, self.muon), (adamw, self.rate)]
