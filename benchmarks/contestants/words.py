"""What every contestant is told and what it tells: its command line, and the line of JSON that it ends with."""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Told:
    """A contestant's command line."""

    folder: Path
    output: Path
    workers: int
    settings: tuple[str, ...]
    """key=value for `mht build`; the others have none."""


def read_words() -> Told:
    parser = argparse.ArgumentParser(description="One contestant of benchmarks/build.py.")
    parser.add_argument("--folder", type=Path, required=True, help="phantoms with their metadata.jsonl")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("settings", nargs="*", metavar="key=value")
    given = parser.parse_args()
    return Told(given.folder, given.output, given.workers, tuple(given.settings))


def tell(began: float, ended: float, **more: float | str | None) -> None:
    """`began`: when the first unit of work was begun, `ended`: when the last file was written; Unix seconds."""
    print(json.dumps({"began": began, "ended": ended, **more}), flush=True)
