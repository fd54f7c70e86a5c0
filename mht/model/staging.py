"""Local folders for what is on its way to storage, or from there; nothing of them outlives the process for long."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path

_PREFIX = "mht-checkpoint-"
_LOCK = "lock"


class Staging:
    """A folder of this process below `parent` (None: the system's folder for temporary files).

    What processes that were killed left there is removed first: a living one holds a lock on its folder. Raises OSError
    where nothing can be written.
    """

    def __init__(self, parent: Path | None) -> None:
        self._parent = Path(tempfile.gettempdir()) if parent is None else parent
        self._parent.mkdir(parents=True, exist_ok=True)
        _sweep(self._parent)
        self._root = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=self._parent))
        self._lock: int | None = _locked(self._root)
        self._made = 0

    def place(self, name: str) -> Path:
        """Where a folder may be made; nothing is there yet."""
        self._made += 1
        return self._root / f"{name}-{self._made}"

    def close(self) -> None:
        """Remove every folder; the second time nothing happens."""
        shutil.rmtree(self._root, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
        self._lock = None


def _locked(root: Path) -> int:
    """An open, locked file, which gets its name when it is locked, so that nobody sees it free."""
    handle = os.open(root / "new", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    os.rename(root / "new", root / _LOCK)
    return handle


def _sweep(parent: Path) -> None:
    for lock in parent.glob(f"{_PREFIX}*/{_LOCK}"):
        with suppress(OSError):  # another user's, another process swept it first, or its owner lives
            handle = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(lock.parent, ignore_errors=True)
            finally:
                os.close(handle)
