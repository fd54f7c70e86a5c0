"""Checkpoints of a training run: what is trained, sharded by rank, at any address, complete or never loaded.

A save snapshots to a local folder and returns; the upload goes on beside the training. A kill at any moment leaves a
complete checkpoint or one that is never loaded. What is loaded was checked against its sha256 first.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import nn
from torch.optim import Optimizer

from mht.artifacts import MANIFEST, dump_json
from mht.errors import DiskFull, IntegrityError, Interrupted, MhtError
from mht.model import checkpoint_files as files
from mht.model.checkpoint_state import METADATA, load_state, save_state
from mht.model.ranks import Ranks
from mht.model.staging import Staging
from mht.model.stored import Stored, read_stored
from mht.model.uploading import Upload
from mht.storage import Storage, join

_PATIENCE_S = 60.0
_CLOSE_S = 10.0
_FAILURES = 3
_ONCE = "COMPLETED.json"
"""Written with the first complete checkpoint: where it is, a run without one has lost them."""


class Checkpoints:
    """The checkpoints of the run at `root`; every rank makes one at the same point and calls the same methods.

    The newest `keep` complete ones stay. At most one upload is in flight: a save waits `patience_s` for the one before
    and is left out, with a warning, when that takes longer. `staging` is a local folder (None: the system's for
    temporary files). Warnings are given on the first rank. Raises OSError where `staging` cannot be written.
    """

    def __init__(
        self,
        storage: Storage,
        root: str,
        *,
        keep: int,
        staging: Path | None = None,
        on_warning: Callable[[str], None],
        patience_s: float = _PATIENCE_S,
    ) -> None:
        self._storage = storage
        self._root = root
        self._keep = max(1, keep)
        self._patience_s = patience_s
        self._ranks = Ranks()
        self._uploading = Ranks()
        self._warn = on_warning if self._ranks.first else lambda _: None
        self._staging = Staging(staging)
        self._stop = threading.Event()
        self._upload: Upload | None = None
        self._failures = 0
        self._noted = False
        self._damaged: set[int] = set()

    def save(self, step: int, module: nn.Module, optimizer: Optimizer, trainer: Mapping[str, Any]) -> None:
        """Snapshot what is trained and start its upload. The first rank's `trainer`, as JSON, is what is kept.

        Raises DiskFull when the snapshot, or the upload before, found no room; the reason of the uploads' failures
        after the third in a row; TypeError for a `trainer` that is no JSON. Every rank raises alike.
        """
        known = json.dumps(dict(trainer), sort_keys=True).encode()
        if self._busy():
            self._warn(f"step {step} has no checkpoint: the upload of the one before is not done yet")
            return
        self._settle()
        attempt = self._ranks.from_first(os.urandom(8).hex())
        folder = self._staging.place(f"save-{step}")
        try:
            save_state(module, optimizer, folder, self._ranks)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._upload = Upload(step, lambda: self._send(step, attempt, folder, known))

    def wait(self) -> None:
        """Return when no upload is in flight. Raises as `save` does."""
        self._settle()

    def close(self) -> None:
        """Give up an upload in flight, clean the local folder; after `wait` nothing is lost by it."""
        self._stop.set()
        done = self._upload is None or self._upload.wait(_CLOSE_S)
        self._staging.close()
        if done:
            self._ranks.close()
            self._uploading.close()

    def complete_steps(self) -> list[int]:
        """The steps of which a manifest is in storage, oldest first."""
        return [step for step, whole in files.steps_there(self._storage, self._root).items() if whole]

    def load_latest(self, module: nn.Module, optimizer: Optimizer) -> dict[str, Any] | None:
        """Load the newest checkpoint that is whole, in place, and return its trainer mapping; None when there is none.

        One that is damaged or has no manifest is passed over with a warning. Raises IntegrityError when there were
        complete ones and none can be loaded, RunConflict when it is of another model.
        """
        for step in reversed(self._candidates()):
            try:
                return self._load(step, module, optimizer)
            except IntegrityError as error:
                self._damaged.add(step)
                self._warn(f"the checkpoint of step {step} is damaged and not used: {error}")
        once: bool = self._ranks.asked_of_first(lambda: self._storage.exists(self._once()))
        if self._damaged or once:
            raise IntegrityError(
                f"{join(self._root, 'checkpoints')}: no checkpoint there can be loaded. Restore one, or start a "
                "new run at another address."
            )
        return None

    def _candidates(self) -> list[int]:
        """The complete steps, oldest first; a warning for each later one that is not."""
        there = self._ranks.asked_of_first(lambda: files.steps_there(self._storage, self._root))
        complete = [step for step, whole in there.items() if whole]
        for step in sorted(there.keys() - set(complete)):
            if step > max(complete, default=-1):
                where = join(files.folder_of(self._root, step), MANIFEST)
                self._warn(f"the checkpoint of step {step} was never completed and is not used: no {where}")
        return complete

    def _load(self, step: int, module: nn.Module, optimizer: Optimizer) -> dict[str, Any]:
        found, metadata = self._ranks.asked_of_first(lambda: self._described(step))
        folder = self._staging.place(f"load-{step}")

        def bring(spans: list[files.Span]) -> None:
            files.fetch(self._storage, found.uri, found.pieces, spans, folder)

        try:
            load_state(module, optimizer, metadata, folder, bring, self._ranks)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return found.trainer

    def _described(self, step: int) -> tuple[files.Contents, bytes]:
        found = files.contents(self._storage, self._root, step)
        pieces = [piece for piece in found.pieces if piece.file == METADATA]
        return found, b"".join(read_stored(self._storage, found.uri, piece.stored) for piece in pieces)

    def _busy(self) -> bool:
        """Whether the first rank's upload is still in flight after its patience; the others' end with it."""
        upload = self._upload if self._ranks.first else None
        return self._ranks.from_first(upload is not None and not upload.wait(self._patience_s))

    def _settle(self) -> None:
        """Wait for the upload in flight and count it: on every rank the same."""
        upload, self._upload = self._upload, None
        error = None if upload is None else upload.outcome()
        if upload is None or error is None:
            self._failures = 0 if upload is not None else self._failures
            return
        if isinstance(error, DiskFull):
            raise error
        self._failures += 1
        self._warn(
            f"the checkpoint of step {upload.step} was not stored ({self._failures} in a row): {error}"
        )
        if self._failures >= _FAILURES:
            raise type(error)(f"{self._failures} checkpoints in a row could not be stored; the last: {error}")

    def _send(self, step: int, attempt: str, folder: Path, known: bytes) -> MhtError | None:
        """In the upload's thread, on every rank: store this rank's files, then the first completes the checkpoint."""
        uri = files.folder_of(self._root, step)
        part, error = None, None
        try:
            part = files.upload(self._storage, folder, uri, (attempt, self._ranks.rank), self._go_on)
        except MhtError as failure:
            error = failure
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        told = self._uploading.every((part, error))
        error = next((failure for _, failure in told if failure is not None), None)
        if error is None and self._ranks.first:
            error = self._complete(step, attempt, [one for one, _ in told if one is not None], known)
        error = self._uploading.from_first(error)
        if error is None and self._ranks.first:
            self._retire(step)
        return error

    def _complete(self, step: int, attempt: str, parts: Sequence[Stored], known: bytes) -> MhtError | None:
        uri = files.folder_of(self._root, step)
        try:
            self._go_on()
            files.complete(self._storage, uri, step, attempt, parts, known)
            self._damaged.discard(step)
            if not self._noted:
                self._storage.create(self._once(), dump_json({"step": step}))
            self._noted = True
        except MhtError as error:
            return error
        return None

    def _retire(self, newest: int) -> None:
        """Delete what is older than the newest `keep` complete ones up to this step, and what never was completed.

        Later steps are of a run that went further before it fell back; they are left until they are made again.
        """
        try:
            there = files.steps_there(self._storage, self._root)
            whole = [
                s for s, complete in there.items() if complete and s <= newest and s not in self._damaged
            ]
            kept = whole[-self._keep :]
            for step in there:
                if step < newest and step not in kept:
                    self._go_on()
                    files.remove(self._storage, self._root, step)
        except MhtError as error:
            self._warn(f"older checkpoints could not be deleted: {error}")

    def _go_on(self) -> None:
        if self._stop.is_set():
            raise Interrupted("the upload of a checkpoint was given up")

    def _once(self) -> str:
        return join(self._root, "checkpoints", _ONCE)
