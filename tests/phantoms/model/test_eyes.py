"""The eyes learn what is told of a picture, small findings as much as large ones."""

from __future__ import annotations

import math

import pytest
import torch

from mht.phantoms.model import blank
from mht.phantoms.model.eyes import _details, _located, examine, teach
from mht.phantoms.model.pace import Pace
from mht.phantoms.model.pictures import SITES, Frame, draw


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


def test_details_are_learnt_where_there_are_any() -> None:
    told = torch.tensor([[[1, 1, 0, 2, -1]], [[1, 0, 1, -1, 3]]])
    guess = torch.zeros(2, 1, 3 + len(SITES))
    blind = float(_details(guess, told))
    assert blind == pytest.approx(math.log(3) + math.log(len(SITES)), rel=1e-5)
    guess[0, 0, 2] = guess[1, 0, 3 + 3] = 9.0
    assert float(_details(guess, told)) < 0.01
    assert float(_details(guess, torch.full_like(told, -1))) == 0.0


def test_some_steps_teach_it_something() -> None:
    frame = Frame(blank.SIDE_PX, blank.PATCH_PX)
    pictures = draw(0, 8, 3, frame)
    said: list[str] = []
    model = blank.blank(0)
    pace = Pace(80, 8, muon=8e-3, rate=3e-3, seed=0)
    eyes = teach(model, iter([pictures] * 80), pace, said.append)
    assert said[0].startswith("eyes: step 0 of 80")
    missed, made_up = examine(eyes, pictures)
    assert missed < 0.5
    assert made_up < 0.1
