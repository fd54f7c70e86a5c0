"""The eyes learn what is told of a picture, small findings as much as large ones."""

from __future__ import annotations

import torch

from mht.phantoms.model import blank
from mht.phantoms.model.eyes import _located, examine, teach
from mht.phantoms.model.pace import Pace
from mht.phantoms.model.pictures import draw


def test_a_finding_of_one_patch_counts_as_one_of_many() -> None:
    where = torch.zeros(40, 16, 2)
    where[:, 0, 0] = 1
    where[:, :, 1] = 1
    where[0, 0, 1] = 0
    guess = torch.zeros_like(where)
    missed = [guess.clone(), guess.clone()]
    for finding, one in enumerate(missed):
        one[..., finding][where[..., finding] == 1] = -3.0
    rare, common = (float(_located(one, where) - _located(guess, where)) for one in missed)
    assert 0.7 < rare / common < 1.0


def test_some_steps_teach_it_something() -> None:
    pictures = draw(8, 3, blank.SIDE_PX, blank.PATCH_PX, workers=1)
    said: list[str] = []
    model = blank.blank(0)
    eyes = teach(model, pictures, Pace(30, 16, muon=3e-3, rate=2e-3, seed=0), said.append)
    assert said[0].startswith("eyes: step 0 of 30")
    missed, made_up = examine(eyes, pictures)
    assert missed < 0.7
    assert made_up < 0.1
