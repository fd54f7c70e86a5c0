"""Folders of phantoms for the benchmarks: drawn once, in parts, so that drawing can be cut short and taken up again.

`<data>/parts/<n>/` holds PART_IMAGES phantoms each, `<data>/phantoms-<images>/` hard links to the first of them and
one metadata.jsonl. A bigger folder costs only the parts that a smaller one has not drawn.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from mht.phantoms.save import write_folder
from mht.phantoms.scene import KINDS

PART_IMAGES = 500
SIDE_PX = 512


def drawn(data: Path, images: int, workers: int = 2) -> Path:
    """The folder with so many phantoms, drawn where it is not there yet."""
    folder = data / f"phantoms-{images}"
    if folder.is_dir():
        return folder
    parts = [_part(data, number, workers) for number in _told(-(-images // PART_IMAGES), images)]
    coming = data / f"phantoms-{images}.coming"
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(parents=True)
    lines = list(_linked(parts, images, coming))
    (coming / "metadata.jsonl").write_text("".join(lines), encoding="utf-8")
    coming.rename(folder)
    return folder


def _told(parts: int, images: int) -> Iterator[int]:
    began, said = time.monotonic(), 0.0
    for number in range(parts):
        if time.monotonic() - began - said >= 30:
            said = time.monotonic() - began
            print(f"drawing: {number * PART_IMAGES:,} of {images:,} phantoms after {said:,.0f} s", flush=True)
        yield number


def _part(data: Path, number: int, workers: int) -> Path:
    part = data / "parts" / f"{number:04d}"
    if not part.is_dir():
        coming = part.with_suffix(".coming")
        shutil.rmtree(coming, ignore_errors=True)
        coming.mkdir(parents=True)
        write_folder(coming, KINDS, PART_IMAGES, seed=number, side_px=SIDE_PX, workers=workers)
        (coming / "scenes.jsonl").unlink()
        coming.rename(part)
    return part


def _linked(parts: list[Path], images: int, folder: Path) -> Iterator[str]:
    """Link each part's images below the folder; yields its lines of metadata.jsonl, groups told apart by part."""
    for part in parts:
        for line in (part / "metadata.jsonl").read_text(encoding="utf-8").splitlines():
            if images == 0:
                return
            images -= 1
            row = json.loads(line)
            name = f"{part.name}/{row['file_name']}"
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(part / row["file_name"], folder / name)
            told = {"file_name": name, "caption": row["caption"], "group": f"{part.name}-{row['group']}"}
            yield json.dumps(told, ensure_ascii=False) + "\n"


def read_once(folder: Path) -> int:
    """Read every file, so that the first contestant does not pay for a cold page cache; returns the bytes."""
    return sum(len(path.read_bytes()) for path in folder.rglob("*") if path.is_file())
