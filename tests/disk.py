"""A file system in memory that is small enough to fill; mounting one may not be permitted."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(folder: Path, mib: int) -> Iterator[Path]:
    """The folder holds so many MiB for a while; the test is skipped where that is not permitted."""
    folder.mkdir()
    if not _mount("-t", "tmpfs", "-o", f"size={mib}m", "mht-test", str(folder)):
        pytest.skip("mounting a small tmpfs is not permitted here; run as root to test a full disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _mount(*words: str) -> bool:
    if shutil.which("mount") is None:
        return False
    return subprocess.run(["mount", *words], capture_output=True, check=False).returncode == 0


def fill(ballast: Path) -> None:
    """Takes all the room that is left."""
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
