"""What a checkpoint promises within one process (R13, R15, R16, R20)."""

from __future__ import annotations

from pathlib import Path

from mht.model.checkpoint import Checkpoints
from mht.storage import Storage, StorageParams
from tests.model.small import Small, optimizer_of, train_step


def test_what_was_saved_goes_on_bit_for_bit(tmp_path: Path) -> None:
    module = Small()
    optimizer = optimizer_of(module)
    warned: list[str] = []
    there = Checkpoints(Storage(StorageParams()), str(tmp_path), keep=2, on_warning=warned.append)
    assert there.load_latest(module, optimizer) is None
    losses = []
    for step in range(1, 7):
        losses.append(train_step(module, optimizer, step))
        if step % 2 == 0:
            there.save(step, module, optimizer, {"step": step, "losses": losses})
    there.wait()
    assert there.complete_steps() == [4, 6]
    more = [train_step(module, optimizer, step) for step in range(7, 10)]
    again = Small(seed=9)
    its = optimizer_of(again)
    known = there.load_latest(again, its)
    assert known == {"step": 6, "losses": losses}
    assert [train_step(again, its, step) for step in range(7, 10)] == more
    there.close()
    assert warned == []
