"""Claim: cost per image stays within 10 % from 10,000 to 100,000 images, and `plan=true` predicts within 20 %.

    python -m benchmarks.scale --data /somewhere/big --save
    python -m benchmarks.scale --data /somewhere/big --profile --images 1000

For each size: 512 px JPEG phantoms are drawn (once, in parts; cut short, it goes on), `mht build plan=true` predicts
from its probe, then the build runs with the same settings in a fresh process. Seconds are the build's own, from the
first unit of work begun to the manifest; memory is its own peak over the driver and all below it, shared pages
counted once. At 100,000 images there must be 1,000,000 pairs, which
the default of at most ten an image cannot give: `--set pairing.pairs_per_image=12`.

A size that was measured is kept in <data>/scale-….json under a digest of the code (--fresh measures again); a build
that is cut short starts over, for its seconds would not be whole. `--profile` instead shows where one worker's time
goes, see benchmarks/worker.py.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.machine import code_digest, describe
from benchmarks.phantoms import drawn, read_once
from benchmarks.processes import Failed, run, stop_cleanly
from benchmarks.report import markdown, page, save

SIZES = (10_000, 100_000)
COST_LIMIT = 0.10
PREDICTION_LIMIT = 0.20
PAIRS_PER_IMAGE = 10
"""What the claim of a million pairs at 100,000 images asks for."""


@dataclass(frozen=True, slots=True)
class Size:
    """What was predicted and measured at one size."""

    images: int
    pairs: int
    startup_s: float
    work_s: float
    cpu_s: float
    memory_bytes: int
    bytes: int
    predicted_s: float
    predicted_pairs: int
    predicted_bytes: int
    predicted_memory_bytes: int

    def cost_ms(self) -> float:
        return 1000 * self.work_s / self.images


def measure(folder: Path, output: Path, workers: int, settings: Sequence[str]) -> Size:
    """Predict, then build, each in a fresh process; the output is deleted."""
    shutil.rmtree(output, ignore_errors=True)
    read_once(folder)
    os.sync()
    words = ["source.kind=folder", f"source.path={folder}", f"output={output}", f"build.workers={workers}"]
    try:
        run([sys.executable, "-m", "mht.cli", "build", "plan=true", *words, *settings])
        said = json.loads((output / "prediction.json").read_text())
        place = ["--folder", str(folder), "--output", str(output), "--workers", str(workers), *settings]
        ended = run([sys.executable, "-m", "benchmarks.contestants.ours", *place])
        if not ended.told:
            raise Failed("the build ended without its report")
        return Size(
            images=ended.told["images_in"],
            pairs=ended.told["pairs"],
            startup_s=ended.told["began"] - ended.spawned,
            work_s=ended.told["work_s"],
            cpu_s=ended.cpu_s,
            memory_bytes=ended.told["memory_bytes"] or 0,
            bytes=ended.told["bytes"],
            predicted_s=said["work_s"],
            predicted_pairs=said["pairs"],
            predicted_bytes=said["bytes"],
            predicted_memory_bytes=said["memory_bytes"],
        )
    finally:
        shutil.rmtree(output, ignore_errors=True)


def table(sizes: Sequence[Size]) -> str:
    head = ["", *(f"{size.images:,} images" for size in sizes)]
    rows = {
        "pairs": [f"{size.pairs:,}" for size in sizes],
        "start-up s": [f"{size.startup_s:.1f}" for size in sizes],
        "seconds after start-up": [f"{size.work_s:,.1f}" for size in sizes],
        "images/s": [f"{size.images / size.work_s:,.0f}" for size in sizes],
        "cost per image, ms": [f"{size.cost_ms():.3f}" for size in sizes],
        "CPU per image, ms": [f"{1000 * size.cpu_s / size.images:.2f}" for size in sizes],
        "peak memory in all, GiB": [f"{size.memory_bytes / 2**30:.2f}" for size in sizes],
        "bytes written, GB": [f"{size.bytes / 1e9:.2f}" for size in sizes],
        "predicted seconds": [_against(size.predicted_s, size.work_s, ",.1f") for size in sizes],
        "predicted pairs": [_against(size.predicted_pairs, size.pairs, ",.0f") for size in sizes],
        "predicted bytes, GB": [
            _against(size.predicted_bytes / 1e9, size.bytes / 1e9, ".2f") for size in sizes
        ],
        "predicted memory, GiB": [
            _against(size.predicted_memory_bytes / 2**30, size.memory_bytes / 2**30, ".2f") for size in sizes
        ],
    }
    return markdown(head, [[name, *cells] for name, cells in rows.items()])


def _against(said: float, was: float, form: str) -> str:
    return f"{said:{form}} ({said / was - 1:+.0%})" if was else f"{said:{form}}"


def verdicts(sizes: Sequence[Size]) -> list[str]:
    """Each claim in a sentence, with whether it holds."""
    told = []
    ratio = sizes[-1].cost_ms() / sizes[0].cost_ms()
    if len(sizes) > 1:
        told.append(
            f"cost per image, biggest to smallest: {ratio:.3f} "
            f"({_holds(abs(ratio - 1) <= COST_LIMIT)}: within {COST_LIMIT:.0%})"
        )
    for size in sizes:
        off = size.predicted_s / size.work_s - 1
        held = _holds(abs(off) <= PREDICTION_LIMIT)
        told.append(
            f"{size.images:,} images: predicted time off by {off:+.1%} ({held}: {PREDICTION_LIMIT:.0%})"
        )
    last = sizes[-1]
    wanted = PAIRS_PER_IMAGE * last.images
    told.append(
        f"{last.pairs:,} pairs of {last.images:,} images ({_holds(last.pairs >= wanted)}: {wanted:,})"
    )
    return told


def _holds(held: bool) -> str:
    return "holds" if held else "DOES NOT HOLD"


def _known(book: Path) -> Size | None:
    return Size(**json.loads(book.read_text())) if book.exists() else None


def _read_words(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description="Cost per image by size.")
    parser.add_argument("--data", type=Path, required=True, help="phantoms and outputs go here")
    parser.add_argument("--images", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--set", nargs="+", default=[], metavar="key=value", help="of `mht build`, for all sizes"
    )
    parser.add_argument("--draw-only", action="store_true", help="draw the phantoms and stop")
    parser.add_argument(
        "--profile", action="store_true", help="where a worker's time goes, on --images (1000)"
    )
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    given = _read_words(words)
    stop_cleanly()
    data = given.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    if given.profile:
        from benchmarks.worker import profile

        images = 1000 if given.images == list(SIZES) else given.images[0]
        print(profile(drawn(data, images), data / "scratch" / "profile"))
        return 0
    folders = {images: drawn(data, images) for images in sorted(given.images)}
    if given.draw_only:
        return 0
    settings = "".join(f"{word}-" for word in given.set).replace("/", "_")
    facts = describe() | ({"settings": " ".join(given.set)} if given.set else {})
    sizes = []
    for images, folder in folders.items():
        book = data / f"scale-{images}-{given.workers}-{settings}{code_digest()}.json"
        size = None if given.fresh else _known(book)
        if size is None:
            size = measure(folder, data / "scratch" / "scale", given.workers, given.set)
            book.write_text(json.dumps(asdict(size)))
        print(f"{images:,} images: {size.work_s:,.1f} s, {size.pairs:,} pairs", flush=True)
        sizes.append(size)
    text = page(f"mht build by size, {given.workers} workers", facts, table(sizes), verdicts(sizes))
    print("\n" + text)
    if given.save:
        print(f"kept in {save('scale', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
