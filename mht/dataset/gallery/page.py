"""The page itself: the sample, the statistics and the quarantine put into one HTML file.

A policy in its head forbids every request and every script and style but its own, named by their hashes. What comes
from the data reaches the page as escaped text or as JSON in which no tag can end, and the script writes it as text.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from mht.dataset.books import Books
from mht.dataset.gallery.entries import entry
from mht.dataset.gallery.plots import Bars, plain, stacked, svg
from mht.dataset.gallery.sample import Look, Refused
from mht.dataset.run import Run
from mht.knowledge.risk import LEVELS

MOST_BYTES = 8 << 20
"""How large the page may become; images that would make it larger are left out, and it says how many."""

FILTERS = ("type", "form", "risk", "modality", "state", "strategy", "split")

_ROOM_FOR_THE_REST = 512 << 10
_HOLE = re.compile(r"\{\{(\w+)\}\}")
_SPLITS = ("train", "validation", "test")
_ORDERS = {"risk": LEVELS, "split": _SPLITS, "state": ("faithful", "hallucinated")}
_DETAIL_LETTERS = 300


def page(run: Run, version: str, books: Books, looks: Sequence[Look], refused: Sequence[Refused]) -> bytes:
    """gallery.html: the same bytes for the same rows, settings and code."""
    shown, left_out = _that_fit(looks)
    style, script = _shipped("page.css"), _shipped("page.js")
    parts = {
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "data": embedded({"facets": facets(shown), "images": shown}),
        "run": escape(run.name),
        "version": escape(version),
        "totals": _totals(run, books),
        "sample": escape(_sample_face(books, len(shown), left_out)),
        "plots": "".join(svg(bars) for bars in figures(books)),
        "quarantine": quarantine(refused, books.total("in")),
    }
    return _HOLE.sub(lambda hole: parts[hole[1]], _shipped("page.html")).encode()


@cache
def _shipped(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(plain: Any) -> str:
    """JSON to stand between script tags: no `<`, so that no text of the data can end the element."""
    text = json.dumps(plain, ensure_ascii=False, separators=(",", ":"))
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _that_fit(looks: Sequence[Look]) -> tuple[list[dict[str, Any]], int]:
    """(the images' entries, how many were left out to keep the page under MOST_BYTES)."""
    room = MOST_BYTES - _ROOM_FOR_THE_REST
    fitting: list[dict[str, Any]] = []
    for look in looks:
        told = entry(look)
        size = len(embedded(told).encode())
        if size <= room:
            fitting.append(told)
            room -= size
    return fitting, len(looks) - len(fitting)


def facets(images: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What can be filtered by, with the number of the sample's pairs under each word."""
    counts: dict[str, Counter[str]] = {kind: Counter() for kind in FILTERS}
    for image in images:
        for pair in (pair for twin in image["twins"] for pair in twin):
            for kind, tally in counts.items():
                word = pair[kind] if kind in pair else image[kind]
                if word is not None:
                    tally[word] += 1
    return [{"kind": kind, "words": _in_order(kind, tally)} for kind, tally in counts.items() if tally]


def _in_order(kind: str, tally: Counter[str]) -> list[tuple[str, int]]:
    order = _ORDERS.get(kind, ())
    first = [(word, tally[word]) for word in order if word in tally]
    rest = [item for item in tally.items() if item[0] not in order]
    return first + sorted(rest, key=lambda item: (-item[1], item[0]))


def figures(books: Books) -> list[Bars]:
    """What is drawn of the whole dataset. A tally that an older run did not keep gives no figure."""
    counts = books.counts
    drawn = [
        plain(f"Pairs by {kind}", counts[kind], _ORDERS.get(kind))
        for kind in ("type", "form", "risk", "modality", "split", "strategy")
        if counts.get(kind)
    ]
    if "form_polarity" in counts:
        drawn.append(stacked("Answer by form", counts["form_polarity"], ("yes", "no", "open")))
    if "type_risk" in counts:
        drawn.append(stacked("Risk by type", counts["type_risk"], LEVELS))
    if "pairs_an_image" in counts:
        numbers = sorted(counts["pairs_an_image"], key=int)
        drawn.append(plain("Images by their number of pairs", counts["pairs_an_image"], numbers))
    return drawn


def quarantine(refused: Sequence[Refused], asked: int) -> str:
    """A box a reason, with its count and examples: image id, stage and detail, never the image."""
    if not refused:
        return "<p>Nothing was quarantined.</p>"
    return "".join(_reason(one, asked) for one in refused)


def _reason(one: Refused, asked: int) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(row['image_id'])}</code></td><td>{escape(row['stage'])}</td>"
        f"<td>{escape(row['detail'][:_DETAIL_LETTERS])}</td></tr>"
        for row in one.examples
    )
    share = f"{one.count / asked:.2%}" if asked else "–"
    name = escape(one.reason.replace("_", " "))
    return (
        f'<details class="reason" data-reason="{escape(one.reason)}"><summary><span>{name}</span> '
        f"<b>{one.count:,}</b> <small>{share} of the inputs</small></summary>"
        f'<div class="scroll" tabindex="0" role="region" aria-label="Examples of {name}"><table>'
        f'<thead><tr><th scope="col">image</th><th scope="col">stage</th><th scope="col">detail</th></tr></thead>'
        f"<tbody>{rows}</tbody></table></div></details>"
    )


def _totals(run: Run, books: Books) -> str:
    told = {
        "pairs": f"{books.total('pairs'):,}",
        "images": f"{books.total('out'):,}",
        "quarantined": f"{books.total('quarantined'):,} ({books.quarantined_share:.1%})",
        "groups": f"{run.plan.groups:,}",
        "source": str(run.resolved["source"]["kind"]),
        "seed": str(run.resolved["seed"]),
    }
    return "".join(f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>" for name, value in told.items())


def _sample_face(books: Books, shown: int, left_out: int) -> str:
    out = books.total("out")
    told = f"{shown:,} of {out:,} images, chosen by hash so that each kind of pair appears, with all their pairs."
    if left_out:
        told += f" {left_out:,} more were chosen and left out to keep this file under {MOST_BYTES >> 20} MiB."
    return told
