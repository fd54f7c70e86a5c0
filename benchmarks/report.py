"""What a benchmark prints and keeps: one Markdown table, with where it was measured above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.machine import ROOT

RESULTS = ROOT / "benchmarks" / "results"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose columns are aligned in plain text, too."""
    widths = [max(len(line[i]) for line in [head, *rows]) for i in range(len(head))]
    lines = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in rows]
    top = " | ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True))
    rule = "|".join("-" * (width + 2) for width in widths)
    return "\n".join([f"| {top} |", f"|{rule}|", *(f"| {line} |" for line in lines)])


def page(title: str, facts: Mapping[str, str], table: str, notes: Sequence[str] = ()) -> str:
    told = "\n".join(f"* {name}: {value}" for name, value in facts.items())
    behind = "".join(f"\n* {note}" for note in notes)
    return f"# {title}\n\n{told}\n\n{table}\n{behind}\n"


def save(name: str, text: str) -> Path:
    """benchmarks/results/<date>-<name>.md"""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-{name}.md"
    path.write_text(text, encoding="utf-8")
    return path
