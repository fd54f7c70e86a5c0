"""A trained model's README.md: what it was made of, what was measured, what it is not for."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import yaml

import mht

ADAPTER, FULL, MERGED = "adapter", "full", "merged"
_KINDS = {
    ADAPTER: "a PEFT adapter (LoRA) for the base model",
    FULL: "a full model, fine-tuned from the base model",
    MERGED: "a full model: the base model with the trained adapter (LoRA) merged into it",
}


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What the caller knows of a trained model.

    `base_model` is a hub id or a path and `base_revision` its pinned commit, where it has one. `data` names the
    dataset, `data_hash` says which one it was. `results` are rows of one table with the same columns; empty where
    nothing was measured. `licence` is the hub's short name.
    """

    title: str
    base_model: str
    base_revision: str | None
    data: str
    data_hash: str
    settings: Mapping[str, Any]
    results: Sequence[Mapping[str, Any]] = ()
    licence: str | None = None

    def to_json(self, kind: str) -> bytes:
        return (json.dumps(asdict(self) | {"kind": kind}, sort_keys=True, indent=1) + "\n").encode()

    @classmethod
    def from_json(cls, data: bytes) -> ModelCard:
        """Raises ValueError, TypeError or KeyError for what is no card."""
        plain = dict(json.loads(data))
        del plain["kind"]
        return cls(**plain)


def readme(card: ModelCard, kind: str) -> str:
    """The card as Markdown with the hub's YAML head; `kind` is ADAPTER, FULL or MERGED."""
    head = {
        "base_model": card.base_model,
        "license": card.licence,
        "library_name": "peft" if kind == ADAPTER else "transformers",
        "pipeline_tag": "image-text-to-text",
        "tags": ["medical", "hallucination", "vision-language", "research"],
    }
    lines = yaml.safe_dump({k: v for k, v in head.items() if v is not None}, sort_keys=False)
    facts = {
        "Base model": card.base_model,
        "Base revision": card.base_revision or "not pinned (a folder)",
        "Data": card.data,
        "Data hash": card.data_hash,
        "Made by": f"mht {mht.__version__}",
    }
    made = "\n".join(f"| {name} | `{_cell(str(value))}` |" for name, value in facts.items())
    return _TEXT.format(
        head=lines, title=" ".join(card.title.split()), kind=_KINDS[kind], made=made, results=_results(card),
        settings=json.dumps(dict(card.settings), sort_keys=True, indent=2).replace("```", "'''"),
    )  # fmt: skip


def _results(card: ModelCard) -> str:
    if not card.results:
        return "Nothing was measured on this model yet."
    columns = list(card.results[0])
    rows = [[_cell(_figure(row.get(column))) for column in columns] for row in card.results]
    lines = [[_cell(column) for column in columns], ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _figure(value: Any) -> str:
    if value is None:
        return "not measured"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _cell(text: str) -> str:
    """Text that may stand in a cell of a table: no new line, nothing that Markdown or HTML would read."""
    return re.sub(r"([\\`*\[\]<>|])", r"\\\1", " ".join(text.split()))


_TEXT = """---
{head}---

# {title}

This is {kind}. It was trained with `mht` for research on hallucination in medical vision-language models.

**A research tool, no clinical use.** It is not a medical device, it has not been examined by clinicians, and nothing
that it writes is a basis for a decision about a patient.

## What it was made of

| | |
|---|---|
{made}

## What was measured

{results}

## Intended use and limits

* For research on vision-language models: how often they accept false premises, and what training changes in that.
* It can be wrong in any answer, also where it sounds certain, and it declines true premises, too: look at both rates.
* What it learnt of wording and of findings is what the data held; other modalities, sites and languages were not tried
  unless the table says so.
* The base model's and the data's licences hold for it, too.

## Settings of the training

```json
{settings}
```

`MANIFEST.json` lists every file with its sha256; `card.json` holds the above for programs.
"""
