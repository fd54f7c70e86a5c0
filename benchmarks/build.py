"""Claim: `mht build` keeps up with what a user would write by hand, and finishes sooner after a kill.

    python -m benchmarks.build --data /somewhere/big --images 20000 --repeats 5 --save

Contestants: `pool` (multiprocessing.Pool and pyarrow), `ray_data` (a plain Ray Data script, Ray's defaults), `daft`
(Daft 0.7 with UDFs, in an environment of its own) and `mht build`. All read the same folder of 512 px JPEG phantoms,
with the same functions: captions cleaned and read into facts, premises counted over the corpus, images decoded by
mht.imaging.decode.normalise, pairs made by make_pairs under the same table of premises, rows written as Parquet.
`mht build` alone also decodes in a guarded child process, keeps its stages for reuse, writes hashes, commits and
books, looks for near-duplicates over the corpus, and writes manifest and card: all of it is in its seconds.

What counts as what, for each contestant alike:

* start-up: from starting its process to the first unit of work begun in a worker (the first captions). It holds
  imports, reading the listing, planning, and starting the workers, Ray included. Nobody does work in it that another
  has to do later: each reads the listing and derives ids and splits before its first unit.
* work: from there to the last file written, taken inside the contestant; what it does to shut down is not counted.
  images/s is images by work seconds.
* CPU: seconds of the process and all it started, start-up and shutdown included, by images; looked at four times a
  second, so the last moments of short-lived processes are missed.
* after a kill: the contestant and every process below it get SIGKILL when its output has half the bytes of its own
  full run, or, where they come all at once, after its usual start-up and half of its usual work. Then the same
  command is run again: from starting its process to the last file written. Those written by hand start over.
* rows equal: pair_id -> row_hash and image_id -> sha256 of its bytes over the whole output, the same after every
  run of every contestant, those after a kill included.

The folder is read once before the first run, so nobody meets a cold page cache. The order turns round from repeat to
repeat; dirty pages are written back before each run. Outputs are deleted once their rows are hashed. Each finished
run is kept in <data>/build-….jsonl under a digest of the code: the same command goes on where it was cut short
(--fresh measures again).
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
from statistics import median

from benchmarks.daft_venv import NoDaft, ensure, versions
from benchmarks.machine import code_digest, describe
from benchmarks.phantoms import drawn, read_once
from benchmarks.processes import Ended, Failed, run, stop_cleanly, tree_size
from benchmarks.report import markdown, page, save
from benchmarks.rows import Rows, rows_of

MODULES = {"pool": "pool", "ray_data": "ray_data", "daft": "daft_frame", "mht build": "ours"}
REFERENCE = "pool"
_LATE = 0.9
"""A kill with more than this share of the bytes there is none at half."""
HEAD = (
    "contestant",
    "images/s (median, min-max)",
    "ratio to pool",
    "start-up s",
    "CPU ms/image",
    "seconds to finish after SIGKILL at half",
    "rows equal",
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run of one contestant. `killed_at` is the share of its bytes that were there when it was killed."""

    name: str
    kind: str
    number: int
    startup_s: float
    work_s: float
    total_s: float
    cpu_s: float
    bytes: int
    images: int
    pairs: int
    digest: str
    killed_at: float | None = None


class Race:
    """The contestants over one folder, and what is known of their runs."""

    def __init__(
        self, folder: Path, scratch: Path, book: Path, pythons: dict[str, Path], workers: int
    ) -> None:
        self._folder = folder
        self._scratch = scratch
        self._book = book
        self._pythons = pythons
        self._workers = workers
        lines = book.read_text().splitlines() if book.exists() else []
        self.runs = [Measured(**json.loads(line)) for line in lines]

    def names(self) -> list[str]:
        return list(self._pythons)

    def of(self, name: str, kind: str) -> list[Measured]:
        return [one for one in self.runs if one.name == name and one.kind == kind]

    def measure(self, name: str, kind: str, number: int, of: int) -> None:
        """One run, unless it is in the book."""
        if any(one.number == number for one in self.of(name, kind)):
            return
        output = self._scratch / name.replace(" ", "_")
        shutil.rmtree(output, ignore_errors=True)
        os.sync()
        try:
            killed_at = self._killed(name, output) if kind == "kill" else None
            ended = run(self._command(name, output))
            one = _measured(name, kind, number, ended, output, killed_at)
        finally:
            shutil.rmtree(output, ignore_errors=True)
        self.runs.append(one)
        with self._book.open("a") as book:
            book.write(json.dumps(asdict(one)) + "\n")
        print(
            f"{name}, {kind} {number} of {of}: {one.work_s:.1f} s of work after {one.startup_s:.1f} s, "
            f"{one.images:,} images, {one.pairs:,} pairs",
            flush=True,
        )

    def _killed(self, name: str, output: Path) -> float:
        """Run until about half of the output is there, kill; returns the share that was.

        By bytes first. Where they come all at once, or none before the end, by the clock instead.
        """
        usual = self.of(name, "full")
        full_bytes = median(one.bytes for one in usual)
        half_s = median(one.startup_s + one.work_s / 2 for one in usual)
        share = 0.0
        for half in (lambda _: tree_size(output) >= full_bytes / 2, lambda passed_s: passed_s >= half_s):
            shutil.rmtree(output, ignore_errors=True)
            ended = run(self._command(name, output), kill_when=half)
            share = tree_size(output) / full_bytes
            if ended.killed and share < _LATE:
                break
        os.sync()
        return share

    def _command(self, name: str, output: Path) -> list[str]:
        module = f"benchmarks.contestants.{MODULES[name]}"
        words = ["--folder", str(self._folder), "--output", str(output), "--workers", str(self._workers)]
        return [str(self._pythons[name]), "-m", module, *words]


def _measured(
    name: str, kind: str, number: int, ended: Ended, output: Path, killed_at: float | None
) -> Measured:
    if "began" not in ended.told:
        raise Failed(f"{name} ended without telling its seconds")
    rows: Rows = rows_of(output)
    return Measured(
        name=name,
        kind=kind,
        number=number,
        startup_s=ended.told["began"] - ended.spawned,
        work_s=ended.told["ended"] - ended.told["began"],
        total_s=ended.told["ended"] - ended.spawned,
        cpu_s=ended.cpu_s,
        bytes=tree_size(output),
        images=rows.images,
        pairs=rows.pairs,
        digest=rows.digest,
        killed_at=killed_at,
    )


def table(race: Race, images: int) -> str:
    """One line a contestant; images/s counts the images that came in."""
    digests = {one.digest for one in race.of(REFERENCE, "full")}
    reference = median(images / one.work_s for one in race.of(REFERENCE, "full"))
    return markdown(HEAD, [_line(race, name, images, reference, digests) for name in race.names()])


def _line(race: Race, name: str, images: int, reference: float, digests: set[str]) -> tuple[str, ...]:
    runs, kills = race.of(name, "full"), race.of(name, "kill")
    rates = sorted(images / one.work_s for one in runs)
    seconds = f"{median(one.total_s for one in kills):.1f}" if kills else "-"
    if kills:
        seconds += f" (killed at {median(one.killed_at or 0 for one in kills):.0%})"
    same = len(digests) == 1 and {one.digest for one in runs + kills} == digests
    counted = f"{runs[0].images:,} images, {runs[0].pairs:,} pairs"
    return (
        name,
        f"{median(rates):,.0f} ({rates[0]:,.0f}-{rates[-1]:,.0f})",
        f"{median(rates) / reference:.2f}",
        f"{median(one.startup_s for one in runs):.1f}",
        f"{1000 * median(one.cpu_s for one in runs) / images:.1f}",
        seconds,
        f"{'yes' if same else 'NO'}: {counted}",
    )


def _pythons(data: Path, left_out: Sequence[str]) -> tuple[dict[str, Path], dict[str, str], list[str]]:
    """(interpreter of each contestant, versions beyond ours, notes on who is left out)."""
    pythons = {name: Path(sys.executable) for name in MODULES if name not in left_out}
    if "daft" not in pythons:
        return pythons, {}, [f"left out by --without: {', '.join(left_out)}"]
    try:
        pythons["daft"] = ensure(data / "daft-venv")
    except NoDaft as reason:
        del pythons["daft"]
        return pythons, {}, [f"daft is left out: {reason}"]
    return pythons, versions(pythons["daft"]), []


def _read_words(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.build", description="mht build against others."
    )
    parser.add_argument(
        "--data", type=Path, required=True, help="phantoms, outputs, Daft's environment go here"
    )
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--kills", type=int, default=1, help="how often each is killed at half and run again")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--without", nargs="*", default=[], choices=[n for n in MODULES if n != REFERENCE])
    parser.add_argument("--fresh", action="store_true", help="forget what was measured before")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    given = _read_words(words)
    stop_cleanly()
    data = given.data.resolve()
    data.mkdir(parents=True, exist_ok=True)
    pythons, more, notes = _pythons(data, given.without)
    folder = drawn(data, given.images)
    print(f"{folder}: {read_once(folder) / 1e6:,.0f} MB read once", flush=True)
    book = data / f"build-{given.images}-{given.workers}-{code_digest()}.jsonl"
    if given.fresh:
        book.unlink(missing_ok=True)
    race = Race(folder, data / "scratch", book, pythons, given.workers)
    facts = describe(more)
    for number in range(1, given.repeats + 1):
        for name in race.names()[:: 1 if number % 2 else -1]:
            race.measure(name, "full", number, given.repeats)
    for number in range(1, given.kills + 1):
        for name in race.names():
            race.measure(name, "kill", number, given.kills)
    title = (
        f"mht build against others: {given.images:,} images, {given.workers} workers, {given.repeats} repeats"
    )
    text = page(title, facts, table(race, given.images), notes)
    print("\n" + text)
    if given.save:
        print(f"kept in {save('build', text)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
