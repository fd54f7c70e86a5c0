"""TRL in a virtual environment of its own: its dependencies must not touch ours."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

TRL = "trl[peft]==1.16.*"
# What decides on speed and losses, at our versions; the torch of a version like ours.
_SAME = ("transformers", "peft", "accelerate", "pillow", "numpy")


class NoTrl(Exception):
    """Why TRL is left out."""


def ensure(folder: Path) -> Path:
    """The interpreter of the environment below `folder`, made when it is not there. Raises NoTrl with the reason."""
    python = folder / "bin" / "python"
    done = folder / "installed"
    if done.exists():
        return python
    torch = metadata.version("torch").partition("+")[0]
    wanted = [f"torch=={torch}", TRL, *(f"{name}=={metadata.version(name)}" for name in _SAME)]
    for words in (
        [sys.executable, "-m", "venv", str(folder)],
        [str(python), "-m", "pip", "install", "-q", *wanted],
    ):
        made = subprocess.run(words, capture_output=True, text=True, check=False)
        if made.returncode:
            last = (made.stderr.strip().splitlines() or ["no reason told"])[-1]
            raise NoTrl(f"{' '.join(words[1:4])} … ended with {made.returncode}: {last}")
    done.touch()
    return python


def versions(python: Path) -> dict[str, str]:
    """What stands there, by name."""
    names = ("trl", "torch", "transformers", "peft")
    asked = f"from importlib.metadata import version; print(*(version(n) for n in {names!r}))"
    told = subprocess.run(
        [str(python), "-c", asked], capture_output=True, text=True, check=True
    ).stdout.split()
    return {f"{name} (TRL's environment)": value for name, value in zip(names, told, strict=True)}
