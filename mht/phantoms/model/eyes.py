"""The vision tower learns to see: which findings, on which side, how marked, where, in each patch and in the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from mht.phantoms.model.blank import HIDDEN, MEAN, SPREAD
from mht.phantoms.model.pace import Pace
from mht.phantoms.model.pictures import FINDINGS, SITES, Pictures

_GRADES = 3
_PATCHES, _WHOLE, _DETAIL = 2.0, 3.0, 0.15
"""What the losses of patches, of the whole picture and of its details count."""
_POSITIVE = 0.5
"""What all patches with a finding count beside all without."""
_FEW = 8.0
"""Patches below which a finding counts less after all: a batch may hold none."""


class Eyes(nn.Module):
    """The tower with two heads that are thrown away when it can see."""

    def __init__(self, tower: Any) -> None:
        super().__init__()
        self.tower = tower
        self.whole = nn.Linear(2 * HIDDEN, len(FINDINGS) * (3 + _GRADES + len(SITES)))
        self.patches = nn.Linear(HIDDEN, len(FINDINGS))

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """[n, findings, 3 + grades + sites] of the whole and [n, patches, findings] of its patches."""
        with torch.autocast("cpu", torch.bfloat16):
            seen = self.tower(pixels).last_hidden_state[:, 1:]
            whole = self.whole(torch.cat([seen.mean(1), seen.amax(1)], dim=1))
            return whole.float().view(len(pixels), len(FINDINGS), -1), self.patches(seen).float()


def as_input(grey: torch.Tensor) -> torch.Tensor:
    """uint8 [n, side, side] as the processor gives it to the tower: [n, 3, side, side], each colour the same."""
    return ((grey[:, None].float() / 255 - MEAN) / SPREAD).expand(-1, 3, -1, -1)


def teach(model: Any, pictures: Pictures, pace: Pace, say: Callable[[str], None]) -> Eyes:
    """Train the model's vision tower in place; the heads come back with it."""
    torch.manual_seed(pace.seed)
    eyes = Eyes(model.model.vision_tower)
    pixels, told, where = (torch.from_numpy(a) for a in (pictures.pixels, pictures.told, pictures.where))
    for step, rows in enumerate(pace.train(eyes, _neighbours(len(pixels), pace))):
        whole, patches = eyes(as_input(pixels[rows]))
        places = where[rows].transpose(1, 2).float()
        loss = _told(whole, told[rows].long()) + _PATCHES * _located(patches, places)
        loss.backward()
        if step % 100 == 0:
            say(f"eyes: step {step} of {pace.steps}, loss {loss.item():.3f}")
    return eyes


def _neighbours(pictures: int, pace: Pace) -> Iterator[torch.Tensor]:
    """Rows of a batch: scenes with their neighbours."""
    generator = torch.Generator().manual_seed(pace.seed)
    while True:
        first = 2 * torch.randint(pictures // 2, (pace.batch // 2,), generator=generator)
        yield torch.cat([first, first + 1])


def _told(whole: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    """The loss of the whole picture: what is there, on which side, of what grade, where."""
    known = functional.binary_cross_entropy_with_logits(whole[..., :3], told[..., :3].float())
    details = sum(
        functional.cross_entropy(guess.flatten(0, 1), told[..., at].flatten(), ignore_index=-1)
        for at, guess in ((3, whole[..., 3 : 3 + _GRADES]), (4, whole[..., 3 + _GRADES :]))
    )
    return _WHOLE * known + _DETAIL * details


def _located(patches: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The loss of the patches: a finding counts as much as any other, however few patches it touches."""
    losses = functional.binary_cross_entropy_with_logits(patches, where, reduction="none")
    there, gone = where.sum((0, 1)), (1 - where).sum((0, 1))
    missed = (losses * where).sum((0, 1)) / (there + _FEW)
    made_up = (losses * (1 - where)).sum((0, 1)) / gone
    return (_POSITIVE * missed + made_up).mean()


def examine(eyes: Eyes, pictures: Pictures) -> tuple[float, float]:
    """(findings missed of those that are there, findings made up of those that are not)."""
    with torch.no_grad():
        guessed = torch.cat([eyes(as_input(torch.from_numpy(p)))[0][..., 0] > 0 for p in _parts(pictures)])
    there = torch.from_numpy(pictures.told[..., 0]) == 1
    return float((~guessed)[there].float().mean()), float(guessed[~there].float().mean())


def _parts(pictures: Pictures) -> Iterator[Any]:
    return (pictures.pixels[start : start + 128] for start in range(0, len(pictures.pixels), 128))
