"""Claim: the engine is >= 0.95 of the best plain loop, and >= 3x on ten questions an image; replies are the loop's.

    python -m benchmarks.caption --save
    python -m benchmarks.caption --large 7b      on a machine with a GPU: see benchmarks/large.py

The first claim is of the engine inside `mht build`, the others of the engine alone.

Contestants, over one LLaVA with drawn weights (language model: hidden 256, 4 layers; 256 image tokens of a 224 px
image; float32 on the CPU): `one by one` (processor and `model.generate`, a request at a time), `batches of 8` (the
same, sorted by length, padded on the left) and `mht` (the engine at batch_size 8). Each decodes greedily, from the
encoded image to the text. Captions: one question an image, replies of up to 64 tokens. Questions: ten an image, replies
of up to 32 tokens, of about five on average, as verification asks for. First tokens: the captions with a bound of one
token, which is what reading an image and its prompt takes; a batch saves nothing of it where compute is the limit, as
on a CPU, and so bounds what captions can gain over one by one (the goal of 3x there is for a GPU, where it is small).

`captions, 64 image tokens` are of a 112 px image: what batching saves is decoding, so the fewer tokens an image has,
the more. `in a build` are phantoms of 336 px, captioned by the prompt and the settings of `captioner.kind=generated`
with replies of up to 64 tokens; `mht build` has one actor of one CPU, and its images/s are those that it prints of its
pass, from the first job on: fetching, decoding in the guarded child, keeping the texts and all of Ray are in them.

Requests/s are of whole runs over the same requests, the model loaded before; contestants take turns within a repeat,
after one run each that is not counted. Replies are equal when every request has the same text, or no end, as with one
by one.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq
from PIL import Image

from benchmarks.machine import describe
from benchmarks.report import markdown, page, save
from mht.captioners import generated
from mht.dataset.plan import image_id
from mht.engines.transformers import Engine, Params
from mht.generation import Request
from mht.imaging.decode import normalise
from mht.imaging.params import ImagingParams
from mht.phantoms.save import write_folder
from mht.phantoms.scene import KINDS
from mht.records import NormalisedImage
from tests.engines import tiny

SYSTEM = "you are a careful radiologist"
BATCH = 8
HEAD = (
    "requests",
    "contestant",
    "requests/s (median, min-max)",
    "to one by one",
    "to the best loop",
    "replies equal",
)
Texts = list[str | None]
Contestant = Callable[[Sequence[Request]], Texts]
"""Requests to texts, None for a reply without end. A build that captions by an engine can stand beside the others."""


class Loop:
    """What a user would write: a processor, `model.generate`, batches of one size."""

    def __init__(self, folder: Path, batch_size: int) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self._processor = AutoProcessor.from_pretrained(folder)
        self._model = AutoModelForImageTextToText.from_pretrained(folder).eval()
        self._ends = set(self._model.generation_config.eos_token_id)
        self._batch_size = batch_size

    def __call__(self, requests: Sequence[Request]) -> Texts:
        order = sorted(range(len(requests)), key=lambda i: len(requests[i].prompt))
        texts: Texts = [None] * len(requests)
        for start in range(0, len(order), self._batch_size):
            places = order[start : start + self._batch_size]
            for place, text in zip(places, self._batch([requests[i] for i in places]), strict=True):
                texts[place] = text
        return texts

    def _batch(self, requests: Sequence[Request]) -> Texts:
        import torch

        inputs = self._processor(
            text=[self._prompt(request) for request in requests],
            images=[[Image.open(io.BytesIO(request.image or b"")).convert("RGB")] for request in requests],
            padding=True, padding_side="left", return_tensors="pt", add_special_tokens=False,
        )  # fmt: skip
        bound = max(request.max_tokens for request in requests)
        with torch.inference_mode():
            made = self._model.generate(**inputs, max_new_tokens=bound, do_sample=False)
        said = made[:, inputs["input_ids"].shape[1] :].tolist()
        return [self._text(row, request.cut_ok) for row, request in zip(said, requests, strict=True)]

    def _prompt(self, request: Request) -> str:
        parts: list[dict[str, Any]] = [{"type": "image"}, {"type": "text", "text": request.prompt}]
        turns = [{"role": "system", "content": request.system}, {"role": "user", "content": parts}]
        return str(self._processor.apply_chat_template(turns, add_generation_prompt=True, tokenize=False))

    def _text(self, tokens: Sequence[int], cut_ok: bool) -> str | None:
        end = next((i for i, token in enumerate(tokens) if token in self._ends), None)
        if end is None and not cut_ok:
            return None
        return str(self._processor.tokenizer.decode(tokens[:end], skip_special_tokens=True)).strip()


def engine(folder: Path) -> Contestant:
    made = Engine(Params(model=str(folder), batch_size=BATCH))

    def asked(requests: Sequence[Request]) -> Texts:
        # A reply that says nothing is a failure of the engine's and an empty text of the loop's.
        return ["" if r.failure == "empty_reply" else r.text for r in made.generate(requests)]

    return asked


def captions(images: int, side_px: int = 224) -> list[Request]:
    """One question an image, of one to five words beside."""
    words = tiny.WORDS
    return [
        Request(f"{i}", "describe the image " + " ".join(words[i % 40 : i % 40 + i % 5]), SYSTEM,
                tiny.png(i, side_px), max_tokens=64)
        for i in range(images)
    ]  # fmt: skip


def questions(images: int) -> list[Request]:
    """Ten questions an image."""
    return [
        Request(
            f"{i}-{q}",
            f"is there a {tiny.WORDS[12 + q]} in the image ?",
            SYSTEM,
            tiny.png(i, 224),
            max_tokens=8,
        )
        for i in range(images)
        for q in range(10)
    ]


def measured(
    contestants: dict[str, Contestant], requests: Sequence[Request], repeats: int
) -> tuple[dict[str, list[float]], dict[str, Texts]]:
    """(requests/s of each repeat, texts) by contestant."""
    texts = {name: asked(requests) for name, asked in contestants.items()}
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for repeat in range(repeats):
        for name in list(contestants)[:: 1 if repeat % 2 else -1]:
            started = time.perf_counter()
            contestants[name](requests)
            rates[name].append(len(requests) / (time.perf_counter() - started))
    return rates, texts


def lines(kind: str, rates: dict[str, list[float]], texts: dict[str, Texts]) -> list[tuple[str, ...]]:
    """A line of the table for each contestant."""
    middle = {name: median(values) for name, values in rates.items()}
    best = max(rate for name, rate in middle.items() if not name.startswith("mht"))
    wanted = texts["one by one"]
    ended = sum(text is not None for text in wanted)
    told = []
    for name, rate in middle.items():
        same = sum(one == other for one, other in zip(texts[name], wanted, strict=True))
        told.append((
            kind, name, f"{rate:.1f} ({min(rates[name]):.1f}-{max(rates[name]):.1f})",
            f"{rate / middle['one by one']:.2f}", f"{rate / best:.2f}",
            f"{same} of {len(wanted)} ({ended} with an end)",
        ))  # fmt: skip
    return told


def contestants(folder: Path) -> dict[str, Contestant]:
    """All of them over one model."""
    return {
        "one by one": Loop(folder, 1),
        f"batches of {BATCH}": Loop(folder, BATCH),
        "mht": engine(folder),
    }


def in_a_build(images: int, repeats: int) -> list[tuple[str, ...]]:
    """The same loops over what a build would ask, and the build."""
    with tempfile.TemporaryDirectory() as place:
        folder = tiny.llava(Path(place) / "model", hidden=256, layers=4, side_px=224, ends=3)
        pictures = Path(place) / "images"
        pictures.mkdir()
        write_folder(pictures, kinds=KINDS, count=images, seed=3, side_px=512, workers=1)
        rates, texts = measured(contestants(folder), asked_of(pictures), repeats)
        rates["mht build"] = []
        for repeat in range(repeats):
            rate, said = built(folder, pictures, Path(place) / f"out{repeat}")
            rates["mht build"].append(rate)
            texts["mht build"] = said
        return lines(f"in a build: {images}", rates, texts)


def asked_of(pictures: Path) -> list[Request]:
    """The requests of a build over this folder, in the order of the images' names."""
    params = generated.Params(engine="eye", max_tokens=64)
    requests = []
    for path in sorted(pictures.rglob("*.jpg")):
        image = normalise(path.read_bytes(), ImagingParams())
        assert isinstance(image, NormalisedImage)
        name = path.relative_to(pictures).as_posix()
        request = generated.ask(image_id(name), None, None, image.data, params, 0)
        assert isinstance(request, Request)
        requests.append(request)
    return requests


def built(model: Path, pictures: Path, output: Path) -> tuple[float, Texts]:
    """(images/s of the pass that described them, their texts in the order of their names)."""
    words = [
        *("source.kind=folder", f"source.path={pictures}", f"output={output}"),
        *("build.max_quarantined=1", "build.max_unanswered=1"),
        *("captioner.kind=generated", "captioner.engine=eye", "captioner.max_tokens=64"),
        *("engines.eye.kind=transformers", f"engines.eye.model={model}", f"engines.eye.batch_size={BATCH}"),
    ]
    command = [sys.executable, "-m", "mht.cli", "build", *words]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"RAY_AUTH_MODE": "disabled"}
    )
    found = re.search(r"^  describe +.*\(([\d.,]+)/s\)$", told.stdout, re.MULTILINE)
    assert found is not None, told.stdout
    rows = {
        row["image_id"]: row
        for file in output.glob("texts/*/*.parquet")
        for row in pq.read_table(file).to_pylist()
    }
    names = [path.relative_to(pictures).as_posix() for path in sorted(pictures.rglob("*.jpg"))]
    return float(found[1].replace(",", "")), [_said(rows[image_id(name)]) for name in names]


def _said(row: dict[str, Any]) -> str | None:
    """As the loops tell it: no text without an end; a text that says nothing is empty, a loop is a text."""
    if row["reason"] == "engine_cut_short":
        return None
    return row["text"] or ("" if row["reason"] == "engine_empty_reply" else row["reason"])


def main(words: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.caption", description="The transformers engine."
    )
    parser.add_argument("--images", type=int, default=64, help="an eighth of which has ten questions each")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--threads", type=int, default=1, help="of torch; an engine in a build has one a CPU it is given"
    )
    parser.add_argument(
        "--large", choices=["3b", "7b"], help="a model of that size on this machine's GPU instead"
    )
    parser.add_argument("--save", action="store_true", help="keep the table in benchmarks/results/")
    given = parser.parse_args(words)
    if given.large:
        from benchmarks import large

        title, table = large.measured(given.large, given.images, given.repeats)
    else:
        title, table = _small(given.images, given.repeats, given.threads)
    text = page(title, describe({name: metadata.version(name) for name in ("torch", "transformers")}), table)
    print(text)
    if given.save:
        print(f"kept in {save('caption', text)}")
    return 0


def _small(images: int, repeats: int, threads: int) -> tuple[str, str]:
    import torch
    import transformers

    torch.set_num_threads(threads)
    transformers.logging.disable_progress_bar()
    rows = []
    described = captions(images)
    kinds = (
        ("captions", described, 3, 224),
        ("captions, 64 image tokens", captions(images, 112), 3, 112),
        ("first tokens", [replace(request, max_tokens=1) for request in described], 3, 224),
        ("questions", questions(images // 8), 20, 224),
    )
    for kind, requests, ends, side_px in kinds:
        with tempfile.TemporaryDirectory() as place:
            folder = tiny.llava(Path(place), hidden=256, layers=4, side_px=side_px, ends=ends)
            rows += lines(f"{kind}: {len(requests)}", *measured(contestants(folder), requests, repeats))
    rows += in_a_build(images, repeats)
    title = f"The transformers engine on the CPU, threads: {threads}, {repeats} repeats"
    return title, markdown(HEAD, rows)


if __name__ == "__main__":
    sys.exit(main())
