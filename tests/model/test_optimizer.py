"""The learning rate of every step, what decays, and how gradients are clipped."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mht.model.optimizer import Schedule, adamw, clip, set_rate


def test_the_rate_rises_then_follows_a_cosine_to_its_end() -> None:
    schedule = Schedule(peak=1.0, warmup=4, total=14, final=0.1)
    rates = [schedule.rate(step) for step in range(14)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4] == 1.0
    assert rates[4:] == sorted(set(rates[4:]), reverse=True)
    assert rates[13] == pytest.approx(0.1)
    middle = 0.1 + 0.9 * (1 + math.cos(math.pi * 4 / 9)) / 2
    assert rates[8] == pytest.approx(middle)


def test_a_run_of_one_step_learns_at_the_peak() -> None:
    assert Schedule(2.0, 0, 1, 0.1).rate(0) == 2.0


def test_biases_norms_and_frozen_parameters_do_not_decay() -> None:
    module = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Linear(3, 2))
    module[2].weight.requires_grad_(False)
    optimizer = adamw(module, 1e-3, 0.1, (0.9, 0.95), 1e-8)
    decays, rests = optimizer.param_groups
    assert [id(p) for p in decays["params"]] == [id(module[0].weight)]
    assert len(rests["params"]) == 4
    assert (decays["weight_decay"], rests["weight_decay"]) == (0.1, 0.0)
    set_rate(optimizer, 0.5)
    assert {group["lr"] for group in optimizer.param_groups} == {0.5}


def test_gradients_are_scaled_to_the_norm_and_their_own_is_told() -> None:
    module = nn.Linear(2, 1, bias=False)
    module.weight.grad = torch.tensor([[3.0, 4.0]])
    assert clip(module.parameters(), 1.0) == pytest.approx(5.0)
    assert torch.allclose(module.weight.grad, torch.tensor([[0.6, 0.8]]), atol=1e-5)
    assert clip(module.parameters(), 10.0) == pytest.approx(1.0, abs=1e-5)
    assert torch.allclose(module.weight.grad, torch.tensor([[0.6, 0.8]]), atol=1e-5)
