"""Claim: with ten questions an image `mht evaluate` asks >= 5x as fast as one by one, >= 2.5x as batches of 8.

    python -m benchmarks.evaluate --save

With one question an image it is >= 1.0 of the batches; replies are the same. What a judge behind an endpoint costs is
measured by benchmarks/judging.py.

Contestants, over the LLaVA of benchmarks/caption.py (language model: hidden 256, 4 layers; 256 image tokens of a
224 px image; float32 on the CPU, drawn weights), greedy, replies of up to 32 tokens: `one by one` (processor and
`model.generate`, a question at a time), `batches of 8` (the same, sorted by length, padded on the left), `mht engine`
(the engine at batch_size 8, which holds an image once for all its questions) and `mht evaluate` (what the command does
to predict: the questions read from a table and planned, images read from their files, asked part by part in one of its
actors, each part committed to disk). The loops have their images in memory.

Requests/s are of whole runs over the same requests, the model loaded before; contestants take turns within a repeat,
their order turns round, after one run each that is not counted. CPU ms count every thread and stand beside the clock
since other programs may share the machine. Replies are equal when every request has the same text as with one by one,
those that the bound of tokens ended among them. Ray's start, scoring and the report are in none: what the whole command
takes is told below the table.
"""

from __future__ import annotations

import argparse
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from statistics import median

from benchmarks.caption import BATCH, SYSTEM, Contestant, Loop, Texts, engine
from benchmarks.machine import busy, describe
from benchmarks.report import markdown, page, save
from mht.config_evaluate import EvaluateConfig, load
from mht.engines.transformers import Engine, Params
from mht.evaluation.answering import ANSWER, Answerer, Spec, open_benchmark
from mht.evaluation.asking import request_of
from mht.evaluation.plan import PlanReader, write_plan
from mht.generation import Request
from mht.questions import Picture
from mht.storage import Storage
from tests.engines import tiny

MAX_TOKENS = 32
LONG, SHORT = 3, 20
"""So many words end a reply: where few do, most replies are as long as they may be."""
SIDE_PX = 224
ONE, EIGHT = "one by one", f"batches of {BATCH}"
ENGINE, OURS = "mht engine", "mht evaluate"
HEAD = (
    "questions", "contestant", "requests/s (median, min-max)", f"to {ONE}", f"to {EIGHT}", "CPU ms/request",
    f"to {ONE} by CPU", f"to {EIGHT} by CPU", "cores held", "replies equal",
)  # fmt: skip


@dataclass(slots=True)
class Runs:
    """A contestant's repeats: requests/s, CPU ms a request, cores held; and what it said."""

    texts: Texts
    rates: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    cores: list[float] = field(default_factory=list)

    def add(self, requests: int, wall_s: float, cpu_s: float) -> None:
        self.rates.append(requests / wall_s)
        self.cpu_ms.append(1000 * cpu_s / requests)
        self.cores.append(cpu_s / wall_s)


class Evaluation:
    """What `mht evaluate` does to predict, without Ray; one engine, and an output of its own each time."""

    def __init__(self, folder: Path, table: Path, place: Path) -> None:
        self._words = words(folder, table)
        self._place = place
        self._engine = Engine(Params(model=str(folder), batch_size=BATCH))
        self._calls = 0

    def __call__(self, requests: Sequence[Request]) -> Texts:
        self._calls += 1
        config = load(None, [*self._words, f"output={self._place / str(self._calls)}"])
        storage = Storage(config.storage)
        spec = planned(config, storage)
        answerer = Answerer(spec, lambda _: None, lambda _: Kept(self._engine))
        said: dict[str, str | None] = {}
        for name, plan in spec.plans.items():
            kept = spec.kept(storage, ANSWER, name)
            for part in plan.names():
                answerer.do(ANSWER, f"{name}/{part}")
                committed = kept.last(part)
                assert committed is not None
                rows = kept.rows(committed)
                said |= {f"{name}/{row.prediction.row_id}": row.prediction.reply for row in rows}
        answerer.close()
        return [said[request.request_id] for request in requests]


class Kept:
    """An engine that outlives the answerer that it is lent to."""

    def __init__(self, engine: Engine) -> None:
        self.generate = engine.generate

    def close(self) -> None:
        """It is used again."""


def words(folder: Path, table: Path) -> list[str]:
    """The command line of the evaluation."""
    return [
        *(f"model.model={folder}", f"model.batch_size={BATCH}"),
        *("benchmarks.asked.kind=table", f"benchmarks.asked.path={table}", "benchmarks.asked.id=id"),
        *(f"generation.max_tokens={MAX_TOKENS}", f"generation.system={SYSTEM}"),
    ]


def planned(config: EvaluateConfig, storage: Storage) -> Spec:
    """What the command plans before it asks."""
    plans, prints = {}, {}
    for name in config.benchmarks:
        benchmark = open_benchmark(config, name, storage)
        questions, size = benchmark.questions(), config.part_questions
        plans[name] = write_plan(storage, config.output, name, questions, size, benchmark.digest)
        prints[ANSWER, name] = "measured"
    return Spec(config.output, config, plans, prints)


def write_table(folder: Path, images: int, per_image: int) -> Path:
    """Questions of eight to twelve words, each image's apart from each other as in most releases."""
    folder.mkdir(parents=True)
    for image in range(images):
        (folder / f"{image}.png").write_bytes(tiny.png(image, SIDE_PX))
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "image", "question", "answer"))
        for q in range(per_image):
            for image in range(images):
                start = (image + q) % 40
                more = " ".join(tiny.WORDS[start : start + (image + q) % 5])
                text = f"is there a {tiny.WORDS[12 + q]} in the image {more} ?"
                rows.writerow((f"{image}-{q}", f"{image}.png", text, "left"))
    return path


def asked_of(given: EvaluateConfig) -> list[Request]:
    """The requests of the evaluation, with their images."""
    storage = Storage(given.storage)
    spec = planned(given, storage)
    requests = []
    for name, plan in spec.plans.items():
        benchmark = open_benchmark(given, name, storage)
        reader = PlanReader(storage, given.output, plan)
        for part in plan.names():
            questions = reader.read(part)
            pictures: Sequence[Picture] = benchmark.images(questions)
            for question, picture in zip(questions, pictures, strict=True):
                assert isinstance(picture, bytes)
                requests.append(request_of(question, picture, given.generation, given.seed))
        reader.close()
    return requests


def measured(
    contestants: dict[str, Contestant], requests: Sequence[Request], repeats: int
) -> dict[str, Runs]:
    """All of them in turn, and the other way round in every second repeat."""
    runs = {name: Runs(asked(requests)) for name, asked in contestants.items()}
    for repeat in range(repeats):
        for name in list(contestants)[:: 1 if repeat % 2 else -1]:
            wall, cpu = time.perf_counter(), time.process_time()
            contestants[name](requests)
            runs[name].add(len(requests), time.perf_counter() - wall, time.process_time() - cpu)
    return runs


def lines(kind: str, runs: dict[str, Runs]) -> list[tuple[str, ...]]:
    """A line of the table for each contestant."""
    return [_line(kind, name, runs) for name in runs]


def _line(kind: str, name: str, runs: dict[str, Runs]) -> tuple[str, ...]:
    mine = runs[name]
    return (
        kind, name, f"{median(mine.rates):.1f} ({min(mine.rates):.1f}-{max(mine.rates):.1f})",
        *(f"{ratio(runs, name, other):.2f}" for other in (ONE, EIGHT)), f"{median(mine.cpu_ms):.1f}",
        *(f"{ratio(runs, name, other, cpu=True):.2f}" for other in (ONE, EIGHT)),
        f"{median(mine.cores):.2f}", same(mine.texts, runs[ONE].texts),
    )  # fmt: skip


def ratio(runs: dict[str, Runs], name: str, other: str, cpu: bool = False) -> float:
    """How many times as fast as another, by the clock or by CPU time."""
    if cpu:
        return median(runs[other].cpu_ms) / median(runs[name].cpu_ms)
    return median(runs[name].rates) / median(runs[other].rates)


def same(texts: Texts, wanted: Texts) -> str:
    alike = sum(one == other for one, other in zip(texts, wanted, strict=True))
    return f"{alike} of {len(wanted)}"


def race(place: Path, images: int, per_image: int, repeats: int, ends: int = LONG) -> dict[str, Runs]:
    """The contestants over one table; so many words end a reply."""
    folder = tiny.llava(place / "model", hidden=256, layers=4, side_px=SIDE_PX, ends=ends)
    table = write_table(place / "table", images, per_image)
    requests = asked_of(load(None, [*words(folder, table), f"output={place / 'asked'}"]))
    contestants: dict[str, Contestant] = {
        ONE: Loop(folder, 1),
        EIGHT: Loop(folder, BATCH),
        ENGINE: engine(folder),
        OURS: Evaluation(folder, table, place / "out"),
    }
    return measured(contestants, requests, repeats)


def short_replies(place: Path, images: int, per_image: int) -> str:
    """Whether replies that come to an end are equal, too, of a model that ends most."""
    runs = race(place, images, per_image, repeats=0, ends=SHORT)
    told = ", ".join(
        f"{name} {same(one.texts, runs[ONE].texts)}" for name, one in runs.items() if name != ONE
    )
    return f"replies equal of a model whose replies end sooner: {told}"


def whole_command(place: Path, images: int, per_image: int) -> str:
    """What `mht evaluate` takes from its start to its report, and again with every reply there."""
    folder, table = place / "model", place / "table" / "table.csv"
    command = [sys.executable, "-m", "mht.cli", "evaluate", *words(folder, table), "run.max_failed=1"]
    took = []
    for more in ([], ["intervals.seed=1"]):
        started = time.perf_counter()
        subprocess.run(
            [*command, f"output={place / 'whole'}", *more],
            capture_output=True,
            check=True,
            env=_environment(),
        )
        took.append(time.perf_counter() - started)
    return (
        f"the whole command, Ray's start, the model's load, scores and report included, took {took[0]:.1f} s for "
        f"{images * per_image} questions, and {took[1]:.1f} s when all were answered and only scored again"
    )


def _environment() -> dict[str, str]:
    return os.environ | {"RAY_AUTH_MODE": "disabled", "OMP_NUM_THREADS": "1"}


def main(given_words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.evaluate", description="Asking a benchmark's questions."
    )
    parser.add_argument(
        "--images", type=int, default=16, help="with ten questions each; three times as many with one"
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1, help="of torch; an actor has one a CPU it is given")
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    given = parser.parse_args(given_words)
    notes = busy()
    facts = describe({name: metadata.version(name) for name in ("torch", "transformers")})
    _quiet(given.threads)
    rows: list[tuple[str, ...]] = []
    for images, per_image in ((given.images, 10), (3 * given.images, 1)):
        with tempfile.TemporaryDirectory(prefix="mht-bench-") as place:
            kind = f"{per_image} an image: {images * per_image}"
            rows += lines(kind, race(Path(place), images, per_image, given.repeats))
            if per_image > 1:
                notes.append(whole_command(Path(place), images, per_image))
                notes.append(short_replies(Path(place) / "short", images, per_image))
    title = f"Asking a benchmark's questions on the CPU, threads: {given.threads}, {given.repeats} repeats"
    text = page(title, facts, markdown(HEAD, rows), notes)
    print(text)
    if given.save:
        print(f"kept in {save('evaluate', text)}")
    return 0


def _quiet(threads: int) -> None:
    import torch
    import transformers

    torch.set_num_threads(threads)
    transformers.logging.disable_progress_bar()


if __name__ == "__main__":
    sys.exit(main())
