"""The page of curves: one plot a figure, whole in itself, safe with any title."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from mht.training.curves import page
from mht.training.history import COLUMNS, History


def history(steps: int) -> History:
    made = History()
    for step in range(steps):
        made.add({name: 1 for name in COLUMNS} | {"loss": 5.0 / (step + 1), "norm": 2.0})
        if step % 50 == 0:
            made.validated({"loss": 4.0, "false_premise": 0.5}, "the rows")
    return made


def plots(text: str) -> list[ElementTree.Element]:
    return [ElementTree.fromstring(svg) for svg in re.findall(r"<svg.*?</svg>", text, re.S)]


def test_a_plot_a_figure_and_nothing_from_elsewhere() -> None:
    text = page("a model", history(120))
    labels = [plot.get("aria-label") for plot in plots(text)]
    assert labels == [
        "Loss",
        "Held out: false premise",
        "Learning rate",
        "Norm of the gradient, before clipping",
    ]
    assert not re.search(r"<script|https?://|url\(|@import", text)
    loss = plots(text)[0]
    assert [line.get("class") for line in loss.iter("polyline")] == ["line", "smooth", "held"]
    assert len(list(loss.iter("circle"))) == 3


def test_a_long_run_is_thinned_and_keeps_its_last_step() -> None:
    [line, *_] = plots(page("x", history(10_000)))[0].iter("polyline")
    points = str(line.get("points")).split()
    assert len(points) <= 1501
    assert points[-1].startswith("752.0,")


def test_one_step_and_a_title_of_marks() -> None:
    text = page("<b>&", history(1))
    assert "&lt;b&gt;&amp;" in text
    assert "<b>" not in text
    assert plots(text)
