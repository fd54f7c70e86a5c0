"""Bars in SVG, drawn here: a dozen lines do what a plotting library would load megabytes for.

Colours are classes of the page's style sheet, so that they follow its light or dark scheme. Every figure carries its
numbers as text, for those who cannot see the bars.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from mht.knowledge.risk import LEVELS

_LABEL, _BAR, _NUMBER, _ROW, _THICK = 136, 140, 108, 23, 12
_LABEL_LETTERS = 19
_MOST_ROWS = 18
_COLOURED = frozenset(
    (*LEVELS, "yes", "no", "open", "faithful", "hallucinated", "train", "validation", "test")
)


Row = tuple[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Bars:
    """A figure: a title, the words that share a bar (none: plain bars), and the rows in their order."""

    title: str
    parts: Sequence[str]
    rows: Sequence[Row]


def plain(title: str, tally: Mapping[str, int], order: Sequence[str] | None = None) -> Bars:
    """One bar a word: in the given order, else the longest first; what does not fit is added up as `all others`."""
    words = [w for w in order if w in tally] if order else []
    words += [w for w, _ in sorted(tally.items(), key=lambda item: (-item[1], item[0])) if w not in words]
    return Bars(title, (), _shortened([(word, [tally[word]]) for word in words]))


def stacked(title: str, joint: Mapping[str, int], parts: Sequence[str]) -> Bars:
    """One bar for each first word of `first/second`, cut by the second; `parts` gives the order of these.

    The longest bar comes first, and what does not fit is added up.
    """
    rows: dict[str, dict[str, int]] = {}
    for words, count in joint.items():
        first, _, second = words.rpartition("/")
        rows.setdefault(first, {})[second] = count
    used = [p for p in parts if any(p in row for row in rows.values())]
    used += sorted({word for row in rows.values() for word in row} - set(used))
    ordered = sorted(rows.items(), key=lambda item: (-sum(item[1].values()), item[0]))
    return Bars(
        title, used, _shortened([(name, [row.get(part, 0) for part in used]) for name, row in ordered])
    )


def _shortened(rows: list[Row]) -> list[Row]:
    if len(rows) <= _MOST_ROWS:
        return rows
    rest = [sum(column) for column in zip(*(numbers for _, numbers in rows[_MOST_ROWS - 1 :]), strict=True)]
    return [*rows[: _MOST_ROWS - 1], ("all others", rest)]


def svg(bars: Bars) -> str:
    """The figure as HTML: caption, legend where bars are cut, and the drawing with its numbers in words."""
    longest = max((sum(numbers) for _, numbers in bars.rows), default=0)
    total = sum(sum(numbers) for _, numbers in bars.rows)
    height = max(1, len(bars.rows)) * _ROW
    words = "; ".join(f"{name} {_in_words(bars, numbers)}" for name, numbers in bars.rows) or "nothing"
    drawn = "".join(
        _row(bars, name, numbers, index * _ROW, _BAR / max(1, longest), total)
        for index, (name, numbers) in enumerate(bars.rows)
    )
    return (
        f"<figure><figcaption>{escape(bars.title)}</figcaption>{_legend(bars.parts)}"
        f'<svg role="img" viewBox="0 0 {_LABEL + _BAR + _NUMBER} {height}" '
        f'aria-label="{escape(f"{bars.title}: {words}")}">{drawn}</svg></figure>'
    )


def _in_words(bars: Bars, numbers: Sequence[int]) -> str:
    if not bars.parts:
        return f"{numbers[0]:,}"
    return ", ".join(f"{part} {n:,}" for part, n in zip(bars.parts, numbers, strict=True))


def _legend(parts: Sequence[str]) -> str:
    if not parts:
        return ""
    items = (
        f'<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="{_colour(part, i)}" width="10" '
        f'height="10" rx="2"/></svg>{escape(part)}</li>'
        for i, part in enumerate(parts)
    )
    return f'<ul class="legend">{"".join(items)}</ul>'


def _row(bars: Bars, name: str, numbers: Sequence[int], top: int, scale: float, total: int) -> str:
    middle, count = top + _ROW // 2 + 4, sum(numbers)
    shown = name if len(name) <= _LABEL_LETTERS else name[: _LABEL_LETTERS - 1] + "…"
    out = f'<text class="label" x="{_LABEL - 8}" y="{middle}">{escape(shown.replace("_", " "))}</text>'
    left = float(_LABEL)
    for index, number in enumerate(numbers):
        width = number * scale
        word = bars.parts[index] if bars.parts else name
        colour = _colour(word, index if bars.parts else 0)
        out += (
            f'<rect class="{colour}" x="{left:.1f}" y="{top + (_ROW - _THICK) // 2}" width="{width:.1f}" '
            f'height="{_THICK}"><title>{escape(word)}: {number:,}</title></rect>'
        )
        left += width
    share = f" · {count / total:.1%}" if total else ""
    return f'{out}<text class="number" x="{left + 6:.1f}" y="{middle}">{count:,}{share}</text>'


def _colour(word: str, index: int) -> str:
    return f"c-{word}" if word in _COLOURED else f"c-{index % 6}"
