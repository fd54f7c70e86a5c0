"""Phantoms as a folder of files: images, captions beside them, and the truth.

    python -m mht.phantoms.save --count 1000 --out phantoms/

writes `<kind>/<number>.jpg`, metadata.jsonl (file_name, caption, group) and scenes.jsonl (file_name, the scene,
the statements of its caption).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from mht.phantoms.caption import caption_rng, narrate
from mht.phantoms.draw import encode, render
from mht.phantoms.scene import KINDS, draw_scene, findings

CHUNK = 64

Task = tuple[str, str, int, int, int]


def write_folder(
    folder: Path, kinds: Sequence[str], count: int, seed: int, side_px: int, workers: int
) -> None:
    """Draw `count` phantoms, the kinds taking turns, with `workers` processes (1: in this one).

    The files do not depend on the number of workers. Raises ConfigError for an unknown kind, OSError for a disk
    that cannot be written.
    """
    for kind in kinds:
        findings(kind)
        (folder / kind).mkdir(parents=True, exist_ok=True)
    tasks = [(str(folder), kinds[index % len(kinds)], index, seed, side_px) for index in range(count)]
    with (
        (folder / "metadata.jsonl").open("w", encoding="utf-8") as captions,
        (folder / "scenes.jsonl").open("w", encoding="utf-8") as scenes,
    ):
        for caption_line, scene_line in _lines(tasks, workers):
            captions.write(caption_line)
            scenes.write(scene_line)


def _lines(tasks: list[Task], workers: int) -> Iterator[tuple[str, str]]:
    if workers == 1:
        yield from map(_write, tasks)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_write, tasks, chunksize=CHUNK)


def _write(task: Task) -> tuple[str, str]:
    """Draw one phantom to its file; its lines of the two tables."""
    folder, kind, index, seed, side_px = task
    scene = draw_scene(kind, index, seed)
    name = f"{kind}/{index:06d}.jpg"
    (Path(folder) / name).write_bytes(encode(render(scene, side_px)))
    told = narrate(scene, caption_rng(scene))
    caption = {"file_name": name, "caption": told.text, "group": f"{kind}-{index:06d}"}
    truth = {
        "file_name": name,
        "scene": asdict(scene),
        "statements": [asdict(statement) for statement in told.statements],
    }
    return json.dumps(caption, ensure_ascii=False) + "\n", json.dumps(truth, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m mht.phantoms.save", description="Draw phantoms to a folder."
    )
    parser.add_argument("--out", type=Path, required=True, help="the folder to write")
    parser.add_argument("--count", type=int, required=True, help="how many images in all")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side-px", type=int, default=512)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    write_folder(given.out, given.kinds, given.count, given.seed, given.side_px, given.workers)


if __name__ == "__main__":
    main()
