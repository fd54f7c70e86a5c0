"""Local folders for what is on its way to storage, or from there; nothing of them outlives the process for long."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mht.errors import DiskFull

_PREFIX = "mht-checkpoint-"
_LOCK = "lock"
_LITTLE = 1 << 20
"""Free bytes below which a failed write is a full disk's, where the library does not say why."""


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


@contextmanager
def room(folder: Path) -> Iterator[None]:
    """Around what writes into a local folder: a failure for want of room is DiskFull, with path and free bytes."""
    try:
        yield
    except (OSError, RuntimeError) as error:
        free = shutil.disk_usage(folder).free
        if getattr(error, "errno", None) not in (errno.ENOSPC, errno.EDQUOT) and free > _LITTLE:
            raise
        raise DiskFull(
            f"no room left on {str(folder)!r} ({free:,} bytes free). Make room there, or name another local folder "
            "(checkpoints.local in training, local for an export); the same command goes on from the last checkpoint."
        ) from error


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
