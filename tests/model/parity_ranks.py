"""What two ranks do in the tests of parity: packed passes of a model in shards, against separate rows of it whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist

from mht.model.certificate import separate_loss
from mht.model.conversation import Prepared
from mht.model.learner import Learner
from mht.model.packing import Batch, pack
from mht.model.sharding import mesh_of, shard
from tests.model.conftest import EYES, example, opened

CPU = torch.device("cpu")
Apart = tuple[float, float]
"""Relative difference of the loss, and of the whole gradient."""


def families(folders: dict[str, Path]) -> dict[str, dict[str, Apart]]:
    """Of each family in its folder, and each way to divide the examples: how far both ranks' passes are apart."""
    return {name: _family(name, folder) for name, folder in folders.items()}


def _family(name: str, folder: Path) -> dict[str, Apart]:
    one = opened(name, folder)
    image = name in EYES
    shown = [one.preparer.prepare(example(number, 3, image)) for number in range(3)]
    blind = one.preparer.prepare(example(3, 2, image=False, turns=2))
    parts = {"every rank alike": [shown[:2], shown[2:]]}
    if image:
        parts["one rank without an image"] = [shown, [blind]]
    learner = one.learner().eval()
    wanted = {way: _separate(learner, [p for own in given for p in own]) for way, given in parts.items()}
    learner.gather()
    placed = {way: [learner.place(p) for p in given[dist.get_rank()]] for way, given in parts.items()}
    mesh = mesh_of(CPU)
    assert mesh is not None
    shard(learner, torch.float32, mesh)
    found = {}
    for way, mine in placed.items():
        [batch] = pack(mine, 1 << 30, share=True, several=learner.several)
        found[way] = _apart(_packed(learner, batch), wanted[way])
    return found


def _separate(learner: Learner, prepared: Sequence[Prepared]) -> tuple[float, list[torch.Tensor]]:
    """Summed loss, and gradient of each parameter, of exchanges in rows of their own on this rank alone."""
    learner.zero_grad(set_to_none=True)
    loss = sum(separate_loss(learner, one, suffix) for one in prepared for suffix in one.suffixes)
    taken = [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in learner.parameters()]
    learner.zero_grad(set_to_none=True)
    return loss, taken


def _packed(learner: Learner, batch: Batch) -> tuple[float, list[torch.Tensor]]:
    """The same of each rank's packed batch, gathered; the sharding takes the mean where the sum is meant."""
    learner.zero_grad(set_to_none=True)
    sums = learner(batch).sums
    (sums.sum() * dist.get_world_size()).backward()
    loss = sums.detach().sum()
    dist.all_reduce(loss)
    return float(loss), [_whole(p) for p in learner.parameters()]


def _whole(parameter: Any) -> torch.Tensor:
    if parameter.grad is None:
        return torch.zeros(parameter.shape)
    made: torch.Tensor = parameter.grad.full_tensor()
    return made


def _apart(found: tuple[float, list[torch.Tensor]], wanted: tuple[float, list[torch.Tensor]]) -> Apart:
    flat, true = (torch.cat([one.double().flatten() for one in side[1]]) for side in (found, wanted))
    return abs(found[0] - wanted[0]) / abs(wanted[0]), float((flat - true).norm() / true.norm())
