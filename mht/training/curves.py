"""Curves of a run as one page: SVG in HTML, no script, no network."""

from __future__ import annotations

import html
from collections.abc import Sequence

from mht.training.history import History, figures_of

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 760, 260, 64, 34, 16
_MOST_POINTS = 1500
_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:50rem;padding:0 1rem}"
    "body{color:#1c2430;background:#fff}"
    "h1{font-size:1.3rem}h2{font-size:1rem;margin:1.6rem 0 .2rem}svg{width:100%;height:auto}"
    ".grid{stroke:#d8dde5}.line{fill:none;stroke:#9db7d9;stroke-width:1}.smooth{fill:none;stroke:#1f5fae;stroke-width:2}"
    ".held{fill:none;stroke:#b4441f;stroke-width:2}.dot{fill:#b4441f}text{font-size:12px;fill:#4a5565}"
    "@media(prefers-color-scheme:dark){body{color:#e4e8ee;background:#14181f}text{fill:#a8b3c2}.grid{stroke:#333c49}}"
)
Points = Sequence[tuple[float, float]]


def page(title: str, history: History) -> str:
    """Training loss, learning rate, norm of the gradient, and each figure of validation against the steps taken."""
    columns = history.columns
    loss = list(enumerate(columns["loss"], start=1))
    held = _of_validations(history)
    body = [
        _plot("Loss", [("line", loss), ("smooth", _smoothed(loss)), ("held", held.pop("loss", []))]),
        *(_plot(f"Held out: {name.replace('_', ' ')}", [("held", points)]) for name, points in held.items()),
        _plot("Learning rate", [("smooth", list(enumerate(columns["learning_rate"], start=1)))]),
        _plot(
            "Norm of the gradient, before clipping", [("smooth", list(enumerate(columns["norm"], start=1)))]
        ),
    ]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{html.escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1"><style>{_STYLE}</style>'
        f"<h1>{html.escape(title)}</h1><p>{history.steps:,} steps. Blue: training, thin each step, thick a moving "
        f"mean. Red: held-out rows.</p>{''.join(body)}</html>\n"
    )


def _of_validations(history: History) -> dict[str, Points]:
    found: dict[str, list[tuple[float, float]]] = {}
    for one in history.validations:
        for name, value in figures_of(one).items():
            found.setdefault(name, []).append((one["step"], value))
    return dict(found)


def _smoothed(points: Points) -> Points:
    """A moving mean over a fiftieth of the steps."""
    share = 2 / (max(2, len(points) // 50) + 1)
    made: list[tuple[float, float]] = []
    for step, value in points:
        before = made[-1][1] if made else value
        made.append((step, before + share * (value - before)))
    return made


def _plot(title: str, lines: Sequence[tuple[str, Points]]) -> str:
    drawn = [(kind, _thinned(points)) for kind, points in lines if points]
    if not drawn:
        return ""
    every = [point for _, points in drawn for point in points]
    left, right = min(x for x, _ in every), max(x for x, _ in every)
    low, high = min(y for _, y in every), max(y for _, y in every)
    if title.startswith("Held out") and "loss" not in title and low >= 0 and high <= 1:
        low, high = 0.0, 1.0  # a share: a change of it is seen for what it is
    if low == high:
        low, high = low - 0.5 * abs(low or 1), high + 0.5 * abs(high or 1)

    def place(x: float, y: float) -> str:
        across = _LEFT + (x - left) / max(1e-12, right - left) * (_WIDTH - _LEFT - 8)
        down = _TOP + (high - y) / (high - low) * (_HEIGHT - _TOP - _BOTTOM)
        return f"{across:.1f},{down:.1f}"

    parts = [_axes(left, right, low, high)]
    for kind, points in drawn:
        parts.append(f'<polyline class="{kind}" points="{" ".join(place(*point) for point in points)}"/>')
        if kind == "held":
            dots = (place(*point).split(",") for point in points)
            parts += [f'<circle class="dot" cx="{x}" cy="{y}" r="3"/>' for x, y in dots]
    label = html.escape(title)
    return (
        f'<h2>{label}</h2><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(parts)}</svg>"
    )


def _axes(left: float, right: float, low: float, high: float) -> str:
    parts = []
    for share in (0, 0.25, 0.5, 0.75, 1):
        y = _TOP + share * (_HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>')
        told = f"{high - share * (high - low):.4g}"
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{told}</text>')
    foot = _HEIGHT - 10
    parts.append(f'<text x="{_LEFT}" y="{foot}">step {left:,.0f}</text>')
    parts.append(f'<text x="{_WIDTH - 8}" y="{foot}" text-anchor="end">step {right:,.0f}</text>')
    return "".join(parts)


def _thinned(points: Points) -> Points:
    """At most so many points, the last one kept."""
    every = max(1, -(-len(points) // _MOST_POINTS))
    return [*points[:-1:every], points[-1]]
