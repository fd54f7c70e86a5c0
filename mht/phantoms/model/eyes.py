"""The vision tower learns to see: which findings, on which side, how marked, where, in each patch and in the whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
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
_FOUND = 3.0
"""What a patch with a finding counts beside one without."""
_POSITIVE = 0.2
"""What all patches with a finding count beside all without."""
_SHIFT_PX = 5
_LIGHT = 0.12
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


@dataclass(frozen=True, slots=True)
class Term:
    """A course of lessons in seeing. `alike`: a finding counts as much as any other, however few patches it touches;
    `shaken`: pictures are moved and lit differently each time, so that none is learnt by heart."""

    alike: bool
    shaken: bool
    pace: Pace


def teach(model: Any, pictures: Pictures, term: Term, say: Callable[[str], None]) -> Eyes:
    """Train the model's vision tower in place; the heads, which are new each term, come back with it."""
    pace = term.pace
    torch.manual_seed(pace.seed)
    eyes = Eyes(model.model.vision_tower)
    pixels, told, where = (torch.from_numpy(a) for a in (pictures.pixels, pictures.told, pictures.where))
    shaken = torch.Generator().manual_seed(pace.seed)
    for step, rows in enumerate(pace.train(eyes, _neighbours(len(pixels), pace))):
        shown = as_input(pixels[rows])
        whole, patches = eyes(_shaken(shown, shaken) if term.shaken else shown)
        located = _located_alike if term.alike else _located
        places = where[rows].transpose(1, 2).float()
        loss = _loss(whole, told[rows].long()) + _PATCHES * located(patches, places)
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


def _shaken(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Moved a little, with another contrast and brightness: each scene as its neighbour, which is half a batch on."""
    half, side = len(pixels) // 2, pixels.shape[-1]
    at = torch.arange(side)
    across, down = torch.randint(-_SHIFT_PX, _SHIFT_PX + 1, (2, half, 1), generator=generator).repeat(1, 2, 1)
    rows, columns = (at + down).clamp(0, side - 1), (at + across).clamp(0, side - 1)
    moved = pixels[torch.arange(len(pixels))[:, None, None], :, rows[:, :, None], columns[:, None, :]]
    contrast, light = torch.randn(2, half, 1, 1, 1, generator=generator).repeat(1, 2, 1, 1, 1) * _LIGHT
    return moved.permute(0, 3, 1, 2) * (1 + contrast) + light


def _loss(whole: torch.Tensor, told: torch.Tensor) -> torch.Tensor:
    known = functional.binary_cross_entropy_with_logits(whole[..., :3], told[..., :3].float())
    details = sum(
        functional.cross_entropy(guess.flatten(0, 1), told[..., at].flatten(), ignore_index=-1)
        for at, guess in ((3, whole[..., 3 : 3 + _GRADES]), (4, whole[..., 3 + _GRADES :]))
    )
    return _WHOLE * known + _DETAIL * details


def _located(patches: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The loss of the patches, [n, patches, findings]; large findings count more."""
    weight = torch.tensor(_FOUND)
    return 2 * functional.binary_cross_entropy_with_logits(patches, where, pos_weight=weight)


def _located_alike(patches: torch.Tensor, where: torch.Tensor) -> torch.Tensor:
    """The loss of the patches, each finding counting alike."""
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
