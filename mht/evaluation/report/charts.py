"""Charts in SVG, drawn by small functions from numbers alone; colours are classes of the page's style sheet.

Those in a table's row are as wide as their cell (coordinates in per cent), so that a table of them is a forest plot on
a screen of any width. A chart's numbers stand in the table beside it or behind it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from mht.evaluation.report.confidence import Bin, Point

_SIDE_PX, _EDGE_PX, _FOOT_PX = 260, 44, 40
_MARGIN = 4.0
"""Per cent of a row's chart that is left free on either side, for marks on the edge."""


@dataclass(frozen=True, slots=True)
class Scale:
    """From `low` to `high` across a cell, with ticks."""

    low: float
    high: float
    ticks: tuple[float, ...]

    def at(self, value: float) -> float:
        """Per cent of the width; what lies outside is put on the edge."""
        share = (value - self.low) / (self.high - self.low)
        return _MARGIN + (100 - 2 * _MARGIN) * min(max(share, 0.0), 1.0)


OF_TEN = Scale(1, 10, (1, 4, 7, 10))
WHOLE = Scale(0, 1, (0, 0.25, 0.5, 0.75, 1))


def reaching(values: Iterable[float | None]) -> Scale:
    """From 0 to the next round number that holds them all, 1 at the most for shares."""
    top = max((value for value in values if value is not None), default=0.0)
    return _ticked(0.0, _round_up(top))


def around_nought(values: Iterable[float | None]) -> Scale:
    """As far on the one side of 0 as on the other."""
    top = _round_up(max((abs(value) for value in values if value is not None), default=0.0))
    return Scale(-top, top, (-top, -top / 2, 0.0, top / 2, top))


def _round_up(top: float) -> float:
    if top <= 0.02:
        return 0.02
    power = 10.0 ** math.floor(math.log10(top))
    return next(power * step for step in (1, 2, 4, 6, 8, 10) if top <= power * step * (1 + 1e-9))


def _ticked(low: float, high: float) -> Scale:
    return Scale(low, high, tuple(low + (high - low) * step / 4 for step in range(5)))


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval; `kind` is a class of the style sheet, `words` are read aloud and shown on touch."""

    value: float | None
    low: float | None
    high: float | None
    kind: str
    words: str


def axis(scale: Scale, labels: Sequence[str]) -> str:
    """The ticks' labels, to stand above a column of charts."""
    last = len(labels) - 1
    texts = "".join(
        f'<text x="{scale.at(tick):.2f}%" y="12" class="{_anchor(at, last)}">{escape(label)}</text>'
        for at, (tick, label) in enumerate(zip(scale.ticks, labels, strict=True))
    )
    return f'<svg class="axis" aria-hidden="true">{texts}</svg>'


def _anchor(at: int, last: int) -> str:
    return "first" if at == 0 else "last" if at == last else "tick"


def forest(scale: Scale, marks: Sequence[Mark]) -> str:
    """The marks of a row one below the other: a point on its interval."""
    drawn = "".join(_interval(scale, mark, 100 * (at + 0.5) / len(marks)) for at, mark in enumerate(marks))
    return _row_chart(scale, marks, drawn)


def bar(scale: Scale, mark: Mark) -> str:
    """A bar from the left edge to the value, with the interval across its end."""
    if mark.value is None:
        return _row_chart(scale, [mark], "")
    start = scale.at(scale.low)
    width = scale.at(mark.value) - start
    body = (
        f'<rect class="bar {mark.kind}" x="{start:.2f}%" y="28%" width="{width:.2f}%" height="44%" rx="2"/>'
    )
    return _row_chart(scale, [mark], f"{body}{_whisker(scale, mark, 50)}{_ends(scale, mark)}")


def beside(scale: Scale, mark: Mark, others: Sequence[Mark]) -> str:
    """A point on its interval, and the others as strokes on the same line."""
    drawn = "".join(
        f'<line class="other {other.kind}" x1="{scale.at(other.value):.2f}%" x2="{scale.at(other.value):.2f}%" '
        f'y1="30%" y2="70%"><title>{escape(other.words)}</title></line>'
        for other in others
        if other.value is not None
    )
    return _row_chart(scale, [mark, *others], drawn + _interval(scale, mark, 50))


def _row_chart(scale: Scale, marks: Sequence[Mark], drawn: str) -> str:
    grid = "".join(
        f'<line class="{"nought" if tick == 0 and scale.low < 0 else "grid"}" x1="{scale.at(tick):.2f}%" '
        f'x2="{scale.at(tick):.2f}%" y1="0" y2="100%"/>'
        for tick in scale.ticks
    )
    words = "; ".join(mark.words for mark in marks)
    return f'<svg class="plot" role="img" aria-label="{escape(words)}">{grid}{drawn}</svg>'


def _interval(scale: Scale, mark: Mark, y: float) -> str:
    if mark.value is None:
        return ""
    point = f'<circle class="point {mark.kind}" cx="{scale.at(mark.value):.2f}%" cy="{y:.1f}%" r="4.5"/>'
    return f"<g><title>{escape(mark.words)}</title>{_whisker(scale, mark, y)}{point}</g>"


def _whisker(scale: Scale, mark: Mark, y: float) -> str:
    if mark.low is None or mark.high is None:
        return ""
    left, right = scale.at(mark.low), scale.at(mark.high)
    return (
        f'<line class="whisker {mark.kind}" x1="{left:.2f}%" x2="{right:.2f}%" y1="{y:.1f}%" y2="{y:.1f}%"/>'
    )


def _ends(scale: Scale, mark: Mark) -> str:
    return "".join(
        f'<line class="whisker {mark.kind}" x1="{scale.at(end):.2f}%" x2="{scale.at(end):.2f}%" y1="36%" y2="64%"/>'
        for end in (mark.low, mark.high)
        if end is not None
    )


def reliability(bins: Sequence[Bin]) -> str:
    """How often the model is right (up) at each confidence (across); on the diagonal it is as sure as it may be."""
    words = "; ".join(f"confidence {one.confidence:.2f}: right {one.right.value:.2f}" for one in bins)
    most = max((one.right.n for one in bins), default=1)
    x, y = _across(0.5, 1.0), _up(0.0, 1.0)
    drawn = f'<line class="ideal" x1="{x(0.5):.1f}" y1="{y(0.5):.1f}" x2="{x(1):.1f}" y2="{y(1):.1f}"/>'
    for one in bins:
        drawn += _bin(one, x(one.confidence), y, 3 + 5 * math.sqrt(one.right.n / most))
    return _square(
        "Reliability diagram: " + words,
        drawn,
        ("50 %", "75 %", "100 %"),
        "confidence",
        "replies that are right",
    )


def _bin(one: Bin, x: float, y: Axis, radius: float) -> str:
    score = one.right
    if score.value is None:
        return ""
    words = f"confidence {one.confidence:.1%}: right {score.value:.1%}, {score.n:,} rows"
    bar = ""
    if score.low is not None and score.high is not None:
        bar = f'<line class="whisker main" x1="{x:.1f}" x2="{x:.1f}" y1="{y(score.low):.1f}" y2="{y(score.high):.1f}"/>'
    point = f'<circle class="point main" cx="{x:.1f}" cy="{y(score.value):.1f}" r="{radius:.1f}"/>'
    return f"<g><title>{escape(words)}</title>{bar}{point}</g>"


def risk_coverage(points: Sequence[Point]) -> str:
    """What is wrong (up) among the surest replies, from few of them to all (across)."""
    scale = reaching(point.wrong for point in points)
    x, y = _across(0.0, 1.0), _up(0.0, scale.high)
    path = " ".join(f"{x(point.coverage):.1f},{y(point.wrong):.1f}" for point in points)
    words = "; ".join(f"surest {point.coverage:.0%}: {point.wrong:.1%} wrong" for point in points[3::4])
    drawn = f'<polyline class="line main" points="{path}"/>'
    return _square(
        "Risk and coverage: " + words, drawn, ("0 %", "50 %", "100 %"), "share of replies, the surest first",
        "of these, wrong", f"{scale.high:.0%}",
    )  # fmt: skip


class Axis:
    """A length in units to pixels of a square chart."""

    def __init__(self, low: float, high: float, start: float, end: float) -> None:
        self._low, self._high, self._start, self._end = low, high, start, end

    def __call__(self, value: float) -> float:
        return self._start + (value - self._low) / (self._high - self._low) * (self._end - self._start)


def _across(low: float, high: float) -> Axis:
    return Axis(low, high, _EDGE_PX, _EDGE_PX + _SIDE_PX)


def _up(low: float, high: float) -> Axis:
    return Axis(low, high, 10 + _SIDE_PX, 10)


def _square(
    words: str, drawn: str, ticks: tuple[str, str, str], across: str, up: str, top: str = "100 %"
) -> str:
    left, bottom, middle = _EDGE_PX, 10 + _SIDE_PX, _EDGE_PX + _SIDE_PX / 2
    lines = "".join(
        f'<line class="grid" x1="{left}" x2="{left + _SIDE_PX}" y1="{at}" y2="{at}"/>'
        f'<line class="grid" y1="10" y2="{bottom}" x1="{left - 10 + at}" x2="{left - 10 + at}"/>'
        for at in (10, 10 + _SIDE_PX / 2, bottom)
    )
    names = "".join(
        f'<text class="{kind}" x="{left + _SIDE_PX * at / 2}" y="{bottom + 16}">{escape(tick)}</text>'
        for at, (kind, tick) in enumerate(zip(("first", "tick", "last"), ticks, strict=True))
    )
    names += f'<text class="last" x="{left - 6}" y="18">{escape(top)}</text>'
    names += f'<text class="last" x="{left - 6}" y="{bottom}">0 %</text>'
    names += f'<text class="tick name" x="{middle}" y="{bottom + 34}">{escape(across)}</text>'
    names += f'<text class="tick name" transform="translate(12 {10 + _SIDE_PX / 2}) rotate(-90)">{escape(up)}</text>'
    size = f"0 0 {_EDGE_PX + _SIDE_PX + 16} {10 + _SIDE_PX + _FOOT_PX}"
    return f'<svg class="square" viewBox="{size}" role="img" aria-label="{escape(words)}">{lines}{drawn}{names}</svg>'
