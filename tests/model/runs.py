"""A training of the small module with its checkpoints, in this process or in one that is killed."""

from __future__ import annotations

from pathlib import Path

import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

from mht.model.checkpoint import Checkpoints
from mht.storage import Storage, StorageParams
from tests.model.small import Small, optimizer_of, train_step
from tests.model.stores import Killer, Watched


def in_shards(module: nn.Module) -> nn.Module:
    """The module over the ranks there are; as it is in one process."""
    if dist.is_initialized():
        mesh = init_device_mesh("cpu", (dist.get_world_size(),))
        for part in (*module.children(), module):
            fully_shard(part, mesh=mesh)
    return module


class Run:
    """A training of the small module with its checkpoints."""

    def __init__(self, root: str, storage: Storage | None = None, seed: int = 0, **settings: object) -> None:
        self.warned: list[str] = []
        self.module = in_shards(Small(seed))
        self.optimizer = optimizer_of(self.module)
        self.losses: list[float] = []
        more = {"keep": 9, "on_warning": self.warned.append} | settings
        self.there = Checkpoints(storage or Storage(StorageParams()), root, **more)  # type: ignore[arg-type]

    def train(self, *steps: int) -> list[float]:
        self.losses += [train_step(self.module, self.optimizer, step) for step in steps]
        return self.losses

    def save(self, step: int) -> None:
        self.there.save(step, self.module, self.optimizer, {"step": step, "losses": self.losses})

    def load(self) -> int | None:
        known = self.there.load_latest(self.module, self.optimizer)
        self.losses = [] if known is None else known["losses"]
        return None if known is None else known["step"]


def trained(run: Run, *steps: int) -> Run:
    """The run after so many steps, with a checkpoint at each."""
    for step in steps:
        run.train(step)
        run.save(step)
    run.there.wait()
    return run


def killed(root: str, staging: str, n: int) -> None:
    """Two steps with a checkpoint each; killed before the n-th change that the second one's upload makes."""
    killer = Killer(n)
    one = Run(root, Watched(killer), staging=Path(staging), keep=1)
    trained(one, 1)
    killer.armed = True
    trained(one, 2)
