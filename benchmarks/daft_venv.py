"""Daft in a virtual environment of its own: its dependencies must not touch ours."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

DAFT = "daft>=0.7,<0.8"
# What the contestant loads of ours, at our versions; pyarrow is left to Daft, which has bounds of its own.
_SAME = ("cykooz-resizer", "pillow", "numpy", "pydantic", "pydicom", "fsspec", "omegaconf", "pyyaml")


class NoDaft(Exception):
    """Why Daft is left out."""


def ensure(folder: Path) -> Path:
    """The interpreter of the environment below `folder`, made when it is not there. Raises NoDaft with the reason."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return python
    wanted = [DAFT, "pyarrow", *(f"{name}=={metadata.version(name)}" for name in _SAME)]
    for words in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", *wanted],
    ):
        made = subprocess.run(words, capture_output=True, text=True, check=False)
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no reason told"])[-1]
            raise NoDaft(f"{' '.join(words[1:4])} … ended with {made.returncode}: {last}")
    done.touch()
    return python


def versions(python: Path) -> dict[str, str]:
    """Versions of Daft and of the pyarrow that stands beside it."""
    asked = "import daft, pyarrow; print(daft.__version__, pyarrow.__version__)"
    told = subprocess.run(
        [str(python), "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()
    return {"daft": told[0], "pyarrow (beside daft)": told[1]}
