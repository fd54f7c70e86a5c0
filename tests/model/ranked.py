"""What the ranks of a job do in the tests of checkpoints; each returns what the test looks at."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch.distributed as dist

from mht.errors import MhtError
from mht.storage import Storage, StorageParams
from tests.model.runs import Run, trained
from tests.model.stores import Killer, Outage, Watched


def leg(root: str, steps: tuple[int, ...]) -> dict[str, Any]:
    """Resume where the last leg ended, train the steps, save at the last."""
    one = Run(root, seed=dist.get_rank() if dist.is_initialized() else 7)
    if steps[0] == 1:
        one = Run(root)
    loaded = one.load()
    one.train(*steps)
    one.save(steps[-1])
    one.there.wait()
    one.there.close()
    return {"loaded": loaded, "losses": one.losses, "warned": one.warned}


def twice(root: str) -> dict[str, Any]:
    """Losses of steps 3 and 4, going on and after a resume in new modules, and after the newest was damaged."""
    one = trained(Run(root), 1, 2)
    on = list(one.train(3, 4))
    again = Run(root, seed=5)
    again.load()
    resumed = list(again.train(3, 4))
    again.save(4)
    again.there.wait()
    dist.barrier()
    if dist.get_rank() == 0:
        path = next(Path(root).glob("checkpoints/00000004/*/__1_0.distcp.00000"))
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    dist.barrier()
    before = [p.to_local().clone() for p in again.module.parameters()]
    back = again.load()
    changed = [not p.to_local().equal(b) for p, b in zip(again.module.parameters(), before, strict=True)]
    return {
        "on": on, "resumed": resumed, "back": back, "after": list(again.train(3, 4)), "warned": again.warned,
        "changed": any(changed), "files": sorted(p.name for p in Path(root).glob("checkpoints/00000002/*/__*")),
    }  # fmt: skip


def failing(root: str) -> dict[str, Any]:
    """The second rank alone cannot store steps 2, 4, 5 and 6."""
    ours = Watched(Outage(2, 4, 5, 6)) if dist.get_rank() == 1 else Storage(StorageParams())
    one = trained(Run(root, ours), 1, 2, 3)
    between = list(one.warned)
    try:
        trained(one, 4, 5, 6)
    except MhtError as error:
        return {"between": between, "error": error, "steps": one.there.complete_steps()}
    return {}


def full_disk(root: str, staging: str) -> dict[str, Any]:
    """The second rank's staging has no room left."""
    mine = Path(staging) if dist.get_rank() == 1 else None
    one = Run(root, staging=mine)
    try:
        one.save(1)
    except MhtError as error:
        left = sorted(p.name for p in mine.rglob("save-*")) if mine else []
        return {"error": error, "left": left}
    return {}


def dies(root: str) -> str:
    """The second rank dies in its upload; what the first hears of it, and that it can end."""

    def die(_: str) -> None:
        os._exit(3)

    one = Run(root, Watched(die) if dist.get_rank() == 1 else None)
    one.save(1)
    try:
        one.there.wait()
    except RuntimeError as error:
        one.there.close()
        return f"{type(error).__name__} {one.there.complete_steps()}"
    return "nothing"


def killed(root: str, victim: int, n: int) -> str:
    """The victim is killed before the n-th change that its upload of step 2 makes; what the other hears of it."""
    killer = Killer(n)
    one = trained(Run(root, Watched(killer) if dist.get_rank() == victim else None), 1)
    killer.armed = True
    try:
        trained(one, 2)
    except RuntimeError as error:
        one.there.close()
        return type(error).__name__
    return "nothing"
