"""Claim: fine-tuning on twins makes a model decline false premises and keep its eyes; as many ordinary pairs do not.

    python -m benchmarks.finetune --threads 1 --at-once 2 --save
    python -m benchmarks.finetune --seeds 1 --steps 60 --test-images 20

The small base model is fine-tuned by `mht train` on head CT phantoms from `mht build`, with adapters and in full: on
twins; for control, as many steps on faithful pairs alone; and on twins again, an image's pairs as one conversation in
which each answer sees those before it. Each is asked about phantoms that it has not seen, in question templates that
none of its training used (`pairing.wordings`), and its greedy replies are measured by `mht.evaluation.metrics`. Goals:
false premises accepted from at least .9 to at most .05, the risk-weighted rate of errors down by 60 %, at most 2 points
more false denials and at most 5 points of over-rejection; the control shows none of it. What the picture of a phantom
does not show (a length in mm, an earlier study) is not asked about.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.report import markdown, page, save
from mht import catalog
from mht.engines.transformers import Engine, Params
from mht.generation import Request
from mht.phantoms.model import base_folder
from mht.predictions import Prediction, of_pair, score
from mht.reading import Dataset, Selection
from mht.storage import Storage, StorageParams

FIGURES = ("presumed", "false_premise", "over_rejection", "false_denial", "risk_weighted")
"""`presumed` is false_premise where the question takes the premise for granted; the other forms ask for it."""
DATA = ("twins", "control", "conversation")
"""What is learnt: all pairs; the faithful ones alone; all, an image's as one conversation of many turns."""
PRESUMING = ("leading_premise", "which", "describe")
TEST_START = 2_000_000
"""The first phantom that is asked about: settings were tried on others."""
UNSEEN = (
    "sequence", "temporal", "attribute", "size", "count", "misbelief", "modality", "appearance",
)  # fmt: skip
"""Kinds of hallucination about what the base was not taught to see in a head CT, or is the same in all of them."""
SIDE_PX = 128
ANSWER_TOKENS = 48
GOALS = {
    "presumed": ">= .9, then <= .05",
    "false_premise": "<= .05",
    "over_rejection": "+ <= .05",
    "false_denial": "+ <= .02",
    "risk_weighted": "- 60 %",
}
LEAST = {"presumed": 0.9}
"""What the base accepts, at the least: else there is nothing to unlearn."""
MOST = {"presumed": 0.05, "false_premise": 0.05}
MORE = {"over_rejection": 0.05, "false_denial": 0.02}
LESS = {"risk_weighted": 0.6}
"""The goals as numbers: at most, at most so much more than the base, and at least this share less."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a run learns. `rate` is the peak of the learning rate, `faithful` how often faithful twins are learnt."""

    method: str
    rate: float
    steps: int
    more: tuple[str, ...] = ()
    faithful: float = 1.0


RECIPES = {
    "lora": Recipe(
        "lora",
        3e-3,
        2600,
        ("lora.rank=32", "lora.alpha=64", "lora.dropout=0", "projector=trained"),
        faithful=1.6,
    ),
    "full": Recipe("full", 1e-3, 1800, faithful=1.6),
}


def mht(*words: str, threads: int = 2) -> None:
    """A command of ours in a process of its own."""
    env = os.environ | {"OMP_NUM_THREADS": str(threads)}
    done = subprocess.run([sys.executable, "-m", "mht.cli", *words], env=env, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"mht {' '.join(words)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")


def built(
    folder: Path, name: str, images: int, start: int, wordings: str, splits: Mapping[str, float]
) -> str:
    """A dataset of head CT phantoms, pairs in one half of the question templates."""
    output = str(folder / name)
    mht(
        "build", f"output={output}", "source.kind=phantoms", "source.kinds=[head_ct]",
        f"source.count={images}", f"source.start={start}", f"source.side_px={SIDE_PX}",
        f"pairing.wordings={wordings}", *(f"perturbations.{kind}=null" for kind in UNSEEN),
        *(f"splits.{split}={share}" for split, share in splits.items()),
        "build.shard_images=100", "build.progress=false", "build.gallery_images=0", "build.max_quarantined=1",
    )  # fmt: skip
    return output


def as_conversations(folder: Path, data: str) -> str:
    """The pairs of an image as one conversation in which each sees those before it, as trainers without sharing do."""
    output = folder / "conversations"
    mht("export", data, str(output), "format=llava")
    images: dict[str, list[list[dict[str, str]]]] = {}
    for row in json.loads((output / "train.json").read_text(encoding="utf-8")):
        images.setdefault(row["image"], []).append(row["conversations"])
    rng = random.Random(0)
    rows = []
    for image, pairs in images.items():
        turns = [turn for pair in rng.sample(pairs, len(pairs)) for turn in pair]
        said = [turn | {"value": turn["value"].removeprefix("<image>\n")} for turn in turns]
        said[0]["value"] = f"<image>\n{said[0]['value']}"
        rows.append({"id": image, "image": image, "conversations": said})
    (output / "train.json").write_text(json.dumps(rows), encoding="utf-8")
    return str(output / "train.json")


def trained(folder: Path, what: str, data: str, recipe: Recipe, seed: int, args: argparse.Namespace) -> Path:
    """A run's final model; `what` it learns is one of DATA, which lies at `data`."""
    output = folder / f"{recipe.method}-{what}-{seed}"
    steps = args.steps or recipe.steps
    of_data = {
        "twins": [f"data.sampling.weights.state.faithful={recipe.faithful}"],
        "control": ["data.state=[faithful]"],
        "conversation": ["data.kind=llava"],
    }
    mht(
        "train", f"model.path={args.base}", f"data.path={data}", f"output={output}", f"seed={seed}",
        f"method={recipe.method}", f"optimizer.learning_rate={recipe.rate}", "optimizer.warmup=0.1",
        "optimizer.final=0", "optimizer.weight_decay=0.01", *recipe.more,
        f"step_examples={args.step_examples}", f"max_steps={steps}", "epochs=1000", "validation.rows=0",
        f"checkpoints.every_steps={steps}", "run.ray=false", "run.progress=false",
        f"run.threads={args.threads}", *of_data[what],
        threads=args.threads,
    )  # fmt: skip
    return output / "model"


def asked(data: str, model: Params) -> list[Prediction]:
    """The model's greedy reply to each pair of a dataset."""
    dataset = Dataset(Storage(StorageParams()), data)
    rows = [
        (image, pair)
        for shard in dataset.shards(Selection())
        for image, pairs in shard.by_image()
        for pair in pairs
    ]
    requests = [
        Request(pair["pair_id"], pair["question"], image=image["image"]["bytes"], max_tokens=ANSWER_TOKENS)
        for image, pair in rows
    ]
    with Engine(model) as engine:
        replies = engine.generate(requests)
    failures = [reply.failure.value if reply.failure is not None else None for reply in replies]
    return [
        of_pair(pair, reply.text, failure)
        for (_, pair), reply, failure in zip(rows, replies, failures, strict=True)
    ]


def figures(rows: Sequence[Prediction]) -> dict[str, float]:
    found = {}
    for name in FIGURES:
        module: Any = catalog.load("evaluation.metrics", name if name != "presumed" else "false_premise")
        of = [row for row in rows if row.form in PRESUMING] if name == "presumed" else rows
        value = score(module.measure(of, module.Params())[0])
        found[name] = float("nan") if value.value is None else value.value
        found[f"{name} n"] = value.n / max(1, value.n_asked)
    return found


def runs(args: argparse.Namespace) -> Iterator[tuple[str, dict[str, float], float]]:
    """(name, figures, seconds of training) of the base and of each run."""
    with tempfile.TemporaryDirectory(prefix="mht-finetune-") as place:
        folder = Path(place)
        train = built(
            folder, "train", args.train_images, 0, "first", {"train": 1, "validation": 0, "test": 0}
        )
        test = built(
            folder, "test", args.test_images, TEST_START, "second", {"train": 0, "validation": 0, "test": 1}
        )
        yield "base", figures(asked(test, Params(model=args.base, batch_size=64))), 0.0
        paths = dict.fromkeys(DATA, train) | {"conversation": as_conversations(folder, train)}
        seeds = range(args.seeds)
        plan = [
            (m, d, s)
            for d in args.data
            for s in seeds
            for m in args.methods
            if s < {"control": args.control_seeds, "conversation": args.conversation_seeds}.get(d, args.seeds)
        ]
        with ProcessPoolExecutor(args.at_once, get_context("spawn")) as pool:
            waiting = [pool.submit(run, folder, *one, paths[one[1]], test, args) for one in plan]
            for (method, data, _), one in zip(plan, waiting, strict=True):
                yield f"{method}, {data}", *one.result()


def run(
    folder: Path, method: str, data: str, seed: int, path: str, test: str, args: argparse.Namespace
) -> tuple[dict[str, float], float]:
    """(figures, seconds of training) of one run, in a process of its own."""
    import torch

    torch.set_num_threads(args.threads)
    began = time.monotonic()
    model = trained(folder, data, path, RECIPES[method], seed, args)
    took = time.monotonic() - began
    base = {"model": args.base, "adapter": str(model)}
    params = Params(**(base if method == "lora" else {"model": str(model)}), batch_size=64)
    return figures(asked(test, params)), took


def table(found: Mapping[str, list[dict[str, float]]]) -> str:
    """The mean over the seeds, with the lowest and the highest."""
    rows = [
        [name, *(_spread([one[figure] for one in every]) for figure in FIGURES)]
        for name, every in found.items()
    ]
    return markdown(["", *(f.replace("_", " ") for f in FIGURES)], [*rows, ["goal, twins", *GOALS.values()]])


def verdicts(found: Mapping[str, list[dict[str, float]]]) -> Iterator[str]:
    """Which goals the base meets, and for each method that learnt twins the mean over its seeds; which are missed."""
    means = {
        name: {f: statistics.mean(one[f] for one in every) for f in FIGURES} for name, every in found.items()
    }
    base = means["base"]
    yield "base: " + ", ".join(
        f"{f} {'met' if base[f] >= least else 'missed'} ({base[f]:.3f}, goal {least:g})"
        for f, least in LEAST.items()
    )
    most = (
        MOST
        | {f: base[f] + more for f, more in MORE.items()}
        | {f: base[f] * (1 - s) for f, s in LESS.items()}
    )
    for name, mine in means.items():
        if name.endswith(", twins"):
            told = ", ".join(
                f"{f.replace('_', ' ')} {'met' if mine[f] <= limit else 'missed'} ({mine[f]:.3f}, goal {limit:.3f})"
                for f, limit in most.items()
            )
            yield f"{name}: {told}"


def _spread(values: Sequence[float]) -> str:
    mean = f"{statistics.mean(values):.3f}"
    return mean if len(values) == 1 else f"{mean} ({min(values):.3f} to {max(values):.3f})"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--base", help="the base model; the one that is shipped where none is given")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--control-seeds", type=int, default=3, help="of them, those that learn the control")
    parser.add_argument(
        "--conversation-seeds", type=int, default=3, help="of them, those that learn conversations"
    )
    parser.add_argument("--methods", nargs="+", choices=sorted(RECIPES), default=["lora", "full"])
    parser.add_argument("--data", nargs="+", choices=DATA, default=list(DATA))
    parser.add_argument("--steps", type=int, help="of each run; each method's own where none is given")
    parser.add_argument("--step-examples", type=int, default=4)
    parser.add_argument("--train-images", type=int, default=10_400)
    parser.add_argument("--test-images", type=int, default=120)
    parser.add_argument("--threads", type=int, default=2, help="of each run")
    parser.add_argument("--at-once", type=int, default=1, help="runs beside each other")
    parser.add_argument(
        "--save", action="store_true", help="keep the table in benchmarks/results as it grows"
    )
    args = parser.parse_args(argv)
    args.base = args.base or str(base_folder())
    some = [chosen for chosen, of in ((args.methods, RECIPES), (args.data, DATA)) if len(chosen) < len(of)]
    kept = "-".join(["finetune", *(name for chosen in some for name in chosen)])
    found: dict[str, list[dict[str, float]]] = {}
    seconds: dict[str, list[float]] = {}
    text = ""
    for name, one, took in runs(args):
        found.setdefault(name, []).append(one)
        seconds.setdefault(name, []).append(took)
        print(name, {k: round(v, 3) for k, v in one.items()}, f"{took:.0f} s", flush=True)
        text = told(found, seconds, args)
        if args.save:
            save(kept, text)
    print(text)


def told(
    found: Mapping[str, list[dict[str, float]]], seconds: Mapping[str, list[float]], args: argparse.Namespace
) -> str:
    """The page of what has been measured so far."""
    notes = [
        "steps: "
        + ", ".join(f"{m} {args.steps or RECIPES[m].steps:,}" for m in args.methods)
        + f"; {args.step_examples} images each, of {args.train_images:,}, with all their pairs",
        "mean (lowest to highest) over "
        f"seeds: {', '.join(f'{name} {len(every)}' for name, every in found.items() if name != 'base')}",
        "how often faithful twins are learnt: "
        + ", ".join(f"{m} {RECIPES[m].faithful:g}" for m in args.methods),
        f"{args.threads} threads a run, {args.at_once} runs beside each other",
        f"{args.test_images} unseen phantoms, asked in templates of the other half; left out: {', '.join(UNSEEN)}",
        "seconds of a run: " + ", ".join(f"{n} {statistics.mean(s):.0f}" for n, s in seconds.items() if s[0]),
        "replies that could be decided, at the least: "
        f"{min(one[f'{figure} n'] for every in found.values() for one in every for figure in FIGURES):.1%}",
        *verdicts(found),
    ]
    return page("Fine-tuning the small base model on twins", describe(), table(found), notes)


if __name__ == "__main__":
    main()
