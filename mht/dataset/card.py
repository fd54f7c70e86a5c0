"""The dataset's README.md: what it is, how it was made, how it is read, what it cannot do.

Its YAML head is the Hugging Face Hub's card metadata, so that `load_dataset(folder, "pairs")` works on the folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import pyarrow as pa
import yaml

from mht.dataset.books import Books
from mht.dataset.columns import KINDS
from mht.dataset.licences import OTHER, UNSAID, address, of_all
from mht.dataset.run import Run
from mht.knowledge.risk import LEVELS
from mht.schemas import IMAGE_SCHEMA, PAIR_SCHEMA

TITLE = "Dual-state medical instruction pairs"

Patterns = Mapping[str, Mapping[str, Sequence[str]]]

_HOLE = re.compile(r"\{\{(\w+)\}\}")
_SIZES = (
    (1000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (10**6, "100K<n<1M"),
    (10**7, "1M<n<10M"),
)
_TABLES = ("split", "state", "type", "form", "polarity", "strategy", "risk", "modality")
_ORDERS = {"risk": LEVELS, "split": ("train", "validation", "test")}
_SCHEMAS = {"pairs": PAIR_SCHEMA, "images": IMAGE_SCHEMA}
_CODE = """import io
import json
from pathlib import Path

import pyarrow.parquet as pq
from PIL import Image

root = Path(".")
files = [entry["path"] for entry in json.loads((root / "MANIFEST.json").read_text())["files"]]
pairs = [path for path in files if path.startswith("pairs/{split}-")]
images = [path for path in files if path.startswith("images/{split}-")]
for pairs_file, images_file in zip(pairs, images, strict=True):
    image_of = {{row["image_id"]: row for row in pq.read_table(root / images_file).to_pylist()}}
    for pair in pq.read_table(root / pairs_file).to_pylist():
        image = Image.open(io.BytesIO(image_of[pair["image_id"]]["image"]["bytes"]))
        print(image.size, pair["state"], pair["question"], pair["answer"])"""


def card(run: Run, version: str, books: Books, stats: Mapping[str, Any], patterns: Patterns) -> bytes:
    """README.md. `stats` is what stats.json holds, `patterns` names for pairs and images the files of each split."""
    licence = of_all(books.counts.get("licence", {}))
    splits = [split for split in _ORDERS["split"] if split in patterns["pairs"]]
    split = splits[0] if splits else "train"
    parts = {
        "title": TITLE,
        "version": version,
        "pairs": f"{books.total('pairs'):,}",
        "images": f"{books.total('out'):,}",
        "making": _making(run, books),
        **_steps(run),
        "tables": "\n\n".join(_table(name, books.counts[name]) for name in _TABLES if books.counts.get(name)),
        "columns_pairs": _columns("pairs"),
        "columns_images": _columns("images"),
        "code": _CODE.format(split=split),
        "split": split,
        "found_limits": _found_limits(books, stats),
        "licence_words": _licence_words(licence, books),
    }
    head = yaml.safe_dump(
        head_of(books, licence, patterns),
        sort_keys=False,
        allow_unicode=True,
        width=100,
        default_flow_style=False,
    )
    template = files("mht.dataset").joinpath("card.md").read_text(encoding="utf-8")
    return f"---\n{head}---\n\n{_HOLE.sub(lambda hole: parts[hole[1]], template)}".encode()


def head_of(books: Books, licence: str, patterns: Patterns) -> dict[str, Any]:
    """The card's metadata; its keys are those of https://github.com/huggingface/hub-docs/blob/main/datasetcard.md."""
    head: dict[str, Any] = {
        "pretty_name": TITLE,
        "language": ["en"],
        "license": licence,
    }
    if licence == OTHER:
        head |= {"license_name": "by-image", "license_link": "README.md"}
    return head | {
        "annotations_creators": ["machine-generated"],
        "multilinguality": ["monolingual"],
        "size_categories": [next((name for most, name in _SIZES if books.total("pairs") < most), "n>10M")],
        "task_categories": ["visual-question-answering"],
        "tags": ["medical", "hallucination", "false-premise", "preference"],
        "configs": [_config(kind, patterns[kind], kind == "pairs") for kind in _SCHEMAS],
        # The columns' types alone would give the image as a struct of bytes and path.
        "dataset_info": [{"config_name": "images", "features": [_feature(field) for field in IMAGE_SCHEMA]}],
    }


def _config(kind: str, splits: Mapping[str, Sequence[str]], default: bool) -> dict[str, Any]:
    data_files = [
        {"split": split, "path": paths[0] if len(paths) == 1 else list(paths)}
        for split, paths in splits.items()
    ]
    config: dict[str, Any] = {"config_name": kind, "data_files": data_files}
    return config | ({"default": True} if default else {})


def _feature(field: pa.Field) -> dict[str, Any]:
    if field.name == "image":
        return {"name": "image", "dtype": "image"}
    if pa.types.is_list(field.type):
        inner = field.type.value_type
        struct = pa.types.is_struct(inner)
        return {"name": field.name, "list": [_feature(part) for part in inner] if struct else _dtype(inner)}
    return {"name": field.name, "dtype": _dtype(field.type)}


def _dtype(kind: pa.DataType) -> str:
    return "float64" if pa.types.is_float64(kind) else str(kind)


def _making(run: Run, books: Books) -> str:
    resolved = run.resolved
    told = {
        "run": f"`{run.name}`",
        "source": f"`{resolved['source']['kind']}`, {run.plan.images:,} images in {run.plan.groups:,} groups",
        "captions": _who(resolved, "captioner"),
        "words": _who(resolved, "writer"),
        "judged by": _who(resolved, "verifier"),
        "perturbations": ", ".join(f"`{name}`" for name in sorted(resolved["perturbations"])),
        "checks": ", ".join(f"`{name}`" for name in resolved["checks"]),
        "seed": str(resolved["seed"]),
        "code": f"captions `{run.fingerprints.caption}`, images `{run.fingerprints.image}`, "
        f"pairs `{run.fingerprints.pair}`",
        "quarantined": f"{books.total('quarantined'):,} of {books.total('in'):,} inputs",
    }
    return "\n".join(f"| {name} | {words} |" for name, words in told.items())


def _who(resolved: Mapping[str, Any], section: str) -> str:
    """The plug-in of a section, with the model that it asked and that model's revision."""
    chosen = resolved.get(section, {})
    told = f"`{chosen.get('kind', 'none')}`"
    model = resolved.get("models", {}).get(chosen.get("engine"), {})
    if model:
        told += f" by `{model.get('model')}`" + (
            f" at `{model['revision']}`" if model.get("revision") else ""
        )
    return told


def _steps(run: Run) -> dict[str, str]:
    """What of the making depends on whether models were asked."""
    asked = run.fingerprints
    return {
        "captions_from": "the source" if asked.text is None else "a model that looked at the image",
        "words_from": "templates" if asked.wording is None else "templates and a model",
        "judged": ""
        if asked.verdict is None
        else " A model judged each pair in two steps; what it did not agree with "
        "is in `refused_pairs/` with its reasons.",
    }


def _table(name: str, tally: Mapping[str, int]) -> str:
    order = _ORDERS.get(name, ())
    words = [word for word in order if word in tally]
    words += sorted(tally.keys() - set(order), key=lambda word: (-tally[word], word))
    total = max(1, sum(tally.values()))
    rows = "\n".join(f"| {_cell(word)} | {tally[word]:,} | {tally[word] / total:.1%} |" for word in words)
    return f"| {name} | pairs | share |\n|---|---:|---:|\n{rows}"


def _columns(kind: str) -> str:
    rows = (f"| `{field.name}` | {KINDS[kind].get(field.name, '')} |" for field in _SCHEMAS[kind])
    return "| column | what it holds |\n|---|---|\n" + "\n".join(rows)


def _cell(text: str) -> str:
    """Text that may stand in a cell of a table: no new line, nothing that Markdown or HTML would read."""
    return re.sub(r"([\\`*_{}\[\]<>|&])", r"\\\1", " ".join(text.split())).replace(r"\_", "_")


def _found_limits(books: Books, stats: Mapping[str, Any]) -> str:
    """What the counts of this very dataset say against it."""
    near = stats["duplicates"]
    limits = []
    strategies: Mapping[str, int] = books.counts.get("strategy", {})
    silent = strategies.get("adversarial", 0) + strategies.get("random", 0)
    if silent:
        share = silent / max(1, books.total("pairs"))
        limits.append(
            f"* {silent:,} pairs ({share:.1%}) stand in twins whose false finding the caption only leaves out."
        )
    if near["across_splits"]:
        limits.append(
            f"* {near['across_splits']:,} pairs of images look alike and lie in two splits; `duplicates.parquet` names "
            "them. Leave one of each out before a score on the test split is believed."
        )
    if books.total("quarantined"):
        reasons = sorted(books.counts["reason"].items(), key=lambda item: (-item[1], item[0]))
        listed = ", ".join(f"{reason} {count:,}" for reason, count in reasons)
        limits.append(f"* Inputs left out, by reason: {listed}.")
    return "\n".join(limits)


def _licence_words(licence: str, books: Books) -> str:
    link = address(licence)
    if link:
        return f"Every image is under [{licence}]({link})."
    counts: Mapping[str, int] = books.counts.get("licence", {})
    listed = ", ".join(
        f"{count:,} {'without a word on it' if name == UNSAID else name}"
        for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    )
    return f"The images are not under one known licence (images by licence: {listed or 'not counted'})."
