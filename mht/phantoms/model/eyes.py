"""The vision tower learns to see: which findings, on which side, how marked, where, in each patch and in the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from mht.phantoms.model.blank import HIDDEN, MEAN, SPREAD
from mht.phantoms.model.pace import Pace
from mht.phantoms.model.pictures import FINDINGS, SITES, Pictures

_GRADES = 3
_KNOWN = 3
_PATCHES, _WHOLE, _DETAIL, _DETAIL_OF_PATCH = 2.0, 3.0, 0.3, 0.15
"""What the losses of patches, of the whole picture and of the details of both count."""
_POSITIVE = 0.5
"""What all patches with a finding count beside all without."""
_FEW = 8.0
"""Patches below which a finding counts less after all: a batch may hold none."""


class Eyes(nn.Module):
    """The tower with two heads that are thrown away when it can see.

    Both are linear, and that of the whole reads the mean over the patches: a layer of attention can do as much.
    """

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower
        self.whole = nn.Linear(HIDDEN, len(FINDINGS) * (_KNOWN + _GRADES + len(SITES)))
        self.patches = nn.Linear(HIDDEN, len(FINDINGS) * (1 + _GRADES + len(SITES)))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits of the whole, [n, findings, 3 + grades + sites], and of its patches, [n, patches, findings, 1 + …]."""
        # The way back of torch's flash kernel takes half of a step on rows as short as these.
        with torch.autocast("cpu", torch.bfloat16), sdpa_kernel(SDPBackend.MATH):
            seen = self.tower(pixels).last_hidden_state[:, 1:]
            whole, patches = self.whole(seen.mean(1)).float(), self.patches(seen).float()
        n = len(pixels)
        return whole.view(n, len(FINDINGS), -1), patches.view(n, seen.shape[1], len(FINDINGS), -1)


def as_input(grey: torch.Tensor) -> torch.Tensor:
    """uint8 [n, side, side] as the processor gives it to the tower: [n, 3, side, side], each colour the same."""
    return ((grey[:, None].float() / 255 - MEAN) / SPREAD).expand(-1, 3, -1, -1)


def teach(model: Any, batches: Iterator[Pictures], pace: Pace, say: Callable[[str], None]) -> Eyes:
    """Train the model's vision tower in place, a batch a step; the heads come back with it."""
    torch.manual_seed(pace.seed)
    eyes = Eyes(model.model.vision_tower)
    for step, pictures in enumerate(pace.train(eyes, batches)):
        whole, patches = eyes(as_input(torch.from_numpy(pictures.pixels)))
        told = torch.from_numpy(pictures.told).long()
        where = torch.from_numpy(pictures.where).transpose(1, 2).float()
        loss = _WHOLE * _known(whole, told) + _DETAIL * _details(whole[..., _KNOWN:], told)
        loss = loss + _PATCHES * _located(patches[..., 0], where)
        there = where.bool()
        told_there = told[:, None].expand(*where.shape, -1)[there]
        loss = loss + _DETAIL_OF_PATCH * _details(patches[..., 1:][there], told_there)
        loss.backward()
        if step % 100 == 0:
            say(f"eyes: step {step} of {pace.steps}, loss {loss.item():.3f}")
    return eyes


def _known(whole: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The loss of the whole picture: what is there, on which side."""
    return functional.binary_cross_entropy_with_logits(whole[..., :_KNOWN], told[..., :_KNOWN].float())


def _details(guess: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The loss of grade and site where there is one: guesses [..., grades + sites], told [..., 5]."""
    parts = ((told[..., 3], guess[..., :_GRADES]), (told[..., 4], guess[..., _GRADES:]))
    losses = [
        functional.cross_entropy(part.flatten(0, -2), truth.flatten(), ignore_index=-1, reduction="sum")
        / (truth >= 0).sum().clamp(min=1)
        for truth, part in parts
    ]
    return losses[0] + losses[1]


def _located(patches: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The loss of the patches: a finding counts as much as any other, however few patches it touches."""
    losses = functional.binary_cross_entropy_with_logits(patches, where, reduction="none")
    there, gone = where.sum((0, 1)), (1 - where).sum((0, 1))
    missed = (losses * where).sum((0, 1)) / (there + _FEW)
    made_up = (losses * (1 - where)).sum((0, 1)) / gone.clamp(min=1)
    return (_POSITIVE * missed + made_up).mean()


def examine(eyes: Eyes, pictures: Pictures) -> tuple[float, float]:
    """(findings missed of those that are there, findings made up of those that are not)."""
    parts = torch.from_numpy(pictures.pixels).split(128)
    with torch.no_grad():
        guessed = torch.cat([eyes(as_input(part))[0][..., 0] > 0 for part in parts])
    there = torch.from_numpy(pictures.told[..., 0]) == 1
    return float((~guessed)[there].float().mean()), float(guessed[~there].float().mean())
