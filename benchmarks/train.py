"""Claim: samples/s of training padded are >= 1.0, and packed >= 4x, of TRL's SFTTrainer; every step's loss is the same.

    python -m benchmarks.train --data /tmp/train --save
    python -m benchmarks.train --data /tmp/train --curve --save

Contestants, over one LLaVA with drawn weights (language model: hidden 256, 4 layers; 256 image tokens of 224 px), LoRA
of rank 8 on its queries and values, AdamW, float32 on the CPU, ten questions of about 55 tokens with their answers on
each of 16 images; an image is a step, and only answers are learnt:

* `TRL`: SFTTrainer in an environment of its own, its defaults but for gradient checkpointing, which is off;
* `loop`: sixty lines by hand on transformers and peft;
* `mht padded`: the library's step, a row an exchange; `mht packed`: the image once and its exchanges behind it;
* `one conversation`: the ten pairs as ten turns. As fast, but each answer sees those before it: another loss.

Each run is a process of its own, contestants take turns, their order turns round from repeat to repeat. Decoding,
tokenising and padding are in the time of all, the first two steps in none's. CPU ms count every thread, and stand
beside the clock since other programs may share the machine: where fewer cores were held than threads asked for, the
clock tells of those. Memory is how far the process grew above the loaded model.

The vocabulary is small (about 120 words), so that the head has the share of the arithmetic that it has in a large
model. The limit of sharing is arithmetic, see benchmarks/flops.py: rows of their own by packed rows. What it leaves
out, pictures that TRL decodes ten times among it, can bring the ratio above it. What one conversation costs in the
figures of held-out questions is another benchmark's to say: drawn weights know nothing to lose.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import processes
from benchmarks.flops import LORA, operations, sizes_of, work_of
from benchmarks.machine import describe
from benchmarks.report import markdown, page, save
from benchmarks.train_corpus import Shape, write
from benchmarks.trl_venv import NoTrl, ensure, versions

TOLERANCE = 1e-4
"""How far a step's loss may be from the reference's."""
CONTESTANTS = {
    "TRL": ("train_trl", "padded"),
    "loop": ("train_loop", "padded"),
    "mht padded": ("train_ours", "padded"),
    "mht packed": ("train_ours", "packed"),
    "one conversation": ("train_ours", "turns"),
}
LEAKS = "one conversation"
CURVE = (("pairs", (1, 2, 5, 10, 20)), ("image_tokens", (64, 256, 576)))
HEAD = ("contestant", "samples/s (median, min-max)", "to TRL", "to loop", "CPU ms/sample", "to TRL by CPU",
        "cores held", "memory MiB", "largest difference in loss")  # fmt: skip
CURVE_HEAD = ("pairs an image", "image tokens", "limit", "packed to TRL", "by CPU", "packed to mht padded", "by CPU",
              "of the limit, by CPU", "largest difference in loss")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant."""

    losses: tuple[float, ...]
    rate: float
    cpu_ms: float
    rise_mib: float
    cores: float


class Race:
    """The contestants over one corpus, and their runs."""

    def __init__(self, folder: Path, pythons: dict[str, Path], threads: int) -> None:
        self._folder = folder
        self._pythons = pythons
        self._threads = threads
        self.runs: dict[str, list[Run]] = {name: [] for name in pythons}

    def repeat(self, times: int) -> None:
        for number in range(times):
            for name in list(self._pythons)[:: -1 if number % 2 else 1]:
                self.runs[name].append(self._run(name))
                one = self.runs[name][-1]
                print(f"{name}: {one.rate:.1f} samples/s, {one.cpu_ms:.1f} CPU ms a sample", flush=True)

    def _run(self, name: str) -> Run:
        module, how = CONTESTANTS[name]
        words = ["--folder", str(self._folder), "--how", how, "--threads", str(self._threads)]
        told = processes.run(
            [str(self._pythons[name]), "-m", f"benchmarks.contestants.{module}", *words]
        ).told
        if "losses" not in told:
            raise processes.Failed(f"{name} ended without telling its losses")
        samples = told["samples"]
        return Run(
            tuple(told["losses"]),
            samples / told["wall_s"],
            1000 * told["cpu_s"] / samples,
            told["rise_mib"],
            told["cpu_s"] / told["wall_s"],
        )

    def rate(self, name: str) -> float:
        return median(run.rate for run in self.runs[name])

    def cpu_ms(self, name: str) -> float:
        return median(run.cpu_ms for run in self.runs[name])

    def apart(self, name: str) -> float:
        """The largest difference of a step's loss from the loop's, or TRL's without one, over all runs."""
        reference = self.runs["TRL" if "TRL" in self.runs else next(iter(self.runs))][0].losses
        return max(
            abs(one - other)
            for run in self.runs[name]
            for one, other in zip(run.losses, reference, strict=True)
        )


def table(race: Race) -> str:
    return markdown(HEAD, [_line(race, name) for name in race.runs])


def _line(race: Race, name: str) -> tuple[str, ...]:
    rates = sorted(run.rate for run in race.runs[name])

    def to(other: str, cpu: bool = False) -> str:
        if other not in race.runs:
            return "-"
        return f"{ratio(race, name, other, cpu):.2f}"

    return (
        name,
        f"{median(rates):.1f} ({rates[0]:.1f}-{rates[-1]:.1f})",
        to("TRL"),
        to("loop"),
        f"{race.cpu_ms(name):.1f}",
        to("TRL", cpu=True),
        f"{median(run.cores for run in race.runs[name]):.2f}",
        f"{median(run.rise_mib for run in race.runs[name]):.0f}",
        same(race, name),
    )


def ratio(race: Race, name: str, other: str, cpu: bool) -> float:
    """How many times as fast as another, by the clock or by CPU time."""
    return race.cpu_ms(other) / race.cpu_ms(name) if cpu else race.rate(name) / race.rate(other)


def same(race: Race, name: str) -> str:
    apart = race.apart(name)
    if name == LEAKS:
        return f"{apart:.0e}: it learns another thing"
    return f"{apart:.0e}{'' if apart <= TOLERANCE else ': NOT THE SAME'}"


def limit(folder: Path) -> float:
    """How many times less a packed row asks for than rows of their own, over all steps."""
    from benchmarks.contestants.train_ours import examples, loaded
    from benchmarks.contestants.train_words import read_words

    learner, preparer = loaded(read_words(["--folder", str(folder)]))
    told = read_words(["--folder", str(folder)])
    prepared = [preparer.prepare(one) for step in told.table for one in examples(step, "packed")]
    sizes, image_id = sizes_of(learner.whole), learner.whole.config.image_token_id
    separate, packed = (
        operations(sizes, work_of(prepared, share, image_id), LORA) for share in (False, True)
    )
    return separate / packed


def written(data: Path, shape: Shape) -> Path:
    folder = data / "corpus"
    shutil.rmtree(folder, ignore_errors=True)
    return write(folder, shape)


def main_table(
    data: Path, shape: Shape, pythons: dict[str, Path], given: argparse.Namespace
) -> tuple[str, list[str]]:
    folder = written(data, shape)
    race = Race(folder, pythons, given.threads)
    race.repeat(given.repeats)
    most = limit(folder)
    notes = [f"the arithmetic limit of sharing: {most:.2f}"]
    for other in ("TRL", "loop", "mht padded"):
        if other in race.runs:
            clock, cpu = (ratio(race, "mht packed", other, by) for by in (False, True))
            notes.append(
                f"mht packed to {other}: {clock:.2f} by the clock, {cpu:.2f} by CPU time "
                f"({clock / most:.0%} and {cpu / most:.0%} of the limit)"
            )
    return table(race), notes


def curve(data: Path, shape: Shape, pythons: dict[str, Path], given: argparse.Namespace) -> str:
    """A line for each number of pairs, and for each number of image tokens."""
    kept = {n: p for n, p in pythons.items() if n in ("TRL", "mht padded", "mht packed")}
    shapes = dict.fromkeys(replace(shape, **{name: value}) for name, values in CURVE for value in values)
    rows = []
    for one in shapes:
        # A step of about ten samples whatever the pairs, so that small ones are not all overhead.
        sized = replace(one, images=max(1, shape.pairs // one.pairs))
        folder = written(data, sized)
        race = Race(folder, kept, given.threads)
        race.repeat(given.repeats)
        rows.append(_curve_line(race, sized, limit(folder)))
        print(" | ".join(rows[-1]), flush=True)
    return markdown(CURVE_HEAD, rows)


def _curve_line(race: Race, shape: Shape, most: float) -> tuple[str, ...]:
    def to(other: str, cpu: bool) -> str:
        return f"{ratio(race, 'mht packed', other, cpu):.2f}" if other in race.runs else "-"

    shares = [
        f"{ratio(race, 'mht packed', other, True) / most:.0%} ({other})"
        for other in ("TRL", "mht padded")
        if other in race.runs
    ]
    return (
        f"{shape.pairs}", f"{shape.image_tokens}", f"{most:.2f}", to("TRL", False), to("TRL", True),
        to("mht padded", False), to("mht padded", True), ", ".join(shares), same(race, "mht packed"),
    )  # fmt: skip


def pythons_of(data: Path, without: Sequence[str]) -> tuple[dict[str, Path], dict[str, str], list[str]]:
    """(interpreter of each contestant, versions beyond ours, notes on who is left out)."""
    pythons = {name: Path(sys.executable) for name in CONTESTANTS if name not in without}
    if "TRL" not in pythons:
        return pythons, {}, [f"left out by --without: {', '.join(without)}"]
    try:
        pythons["TRL"] = ensure(data / "trl-venv")
    except NoTrl as reason:
        del pythons["TRL"]
        return pythons, {}, [f"TRL is left out: {reason}"]
    return pythons, versions(pythons["TRL"]), []


def _read_words(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.train", description="Training against others."
    )
    parser.add_argument("--data", type=Path, required=True, help="the corpus and TRL's environment go here")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2, help="of torch, for every contestant")
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--hidden", type=int, default=256)
    parser.add_argument("--layers", type=int, default=4)
    parser.add_argument("--image-tokens", type=int, default=256)
    parser.add_argument("--pairs", type=int, default=10)
    parser.add_argument("--without", nargs="*", default=[], choices=list(CONTESTANTS))
    parser.add_argument("--curve", action="store_true", help="over pairs an image and image tokens instead")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    given = _read_words(words)
    processes.stop_cleanly()
    data = given.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    pythons, more, notes = pythons_of(data, given.without)
    shape = Shape(
        hidden=given.hidden, layers=given.layers, image_tokens=given.image_tokens, pairs=given.pairs,
        steps=given.steps,
    )  # fmt: skip
    os.environ["HF_HUB_OFFLINE"] = "1"
    facts = describe(_versions() | more)
    notes += _busy()
    if given.curve:
        text, told = curve(data, shape, pythons, given), []
    else:
        text, told = main_table(data, shape, pythons, given)
    title = (
        f"Training against others: hidden {shape.hidden}, {shape.layers} layers, {given.threads} threads, "
        f"{shape.steps} steps, {given.repeats} repeats"
    )
    text = page(title, facts, text, [*told, *notes])
    print("\n" + text)
    if given.save:
        print(f"kept in {save('train-curve' if given.curve else 'train', text)}")
    return 0


def _busy() -> list[str]:
    """A warning where other programs want the cores, too."""
    load = os.getloadavg()[0]
    if load < (os.cpu_count() or 1):
        return []
    return [
        f"others wanted the cores, too (load {load:.0f} at the beginning): the CPU columns tell, the clock does not"
    ]


def _versions() -> dict[str, Any]:
    from importlib import metadata

    return {name: metadata.version(name) for name in ("torch", "transformers", "peft")}


if __name__ == "__main__":
    sys.exit(main())
