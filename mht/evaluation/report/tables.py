"""Tables that are charts: a row for each figure, with its interval drawn and written, and what it counts.

The roles are written out, since a narrow screen shows the rows as blocks, and a table shown so loses its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mht.evaluation.report.blind import named, order, written_beside
from mht.evaluation.report.chapter import Judged, Lexical, Row
from mht.evaluation.report.charts import (
    OF_TEN,
    WHOLE,
    Mark,
    Scale,
    axis,
    bar,
    beside,
    forest,
    reaching,
)
from mht.evaluation.report.confidence import Bin, Point
from mht.evaluation.report.figures import Better, Figure, Unit, about, of
from mht.evaluation.report.groups import Part
from mht.evaluation.report.text import one_line
from mht.predictions import Score

DIRECTIONS = {
    Better.LOWER: "Lower is better",
    Better.HIGHER: "Higher is better",
    Better.NEITHER: "Neither way is better by itself",
}
Cells = Iterable[tuple[str, str]]
"""(class, HTML) of each cell after a row's head."""


def spoken(word: str) -> str:
    """A column's word as it is read: `chest_xray` as `chest xray`; text of a file, so escaped and made visible."""
    return escape(one_line(word, 60).replace("_", " "))


def table(kind: str, caption: str, heads: Sequence[tuple[str, str]], rows: Iterable[str]) -> str:
    """A table with its caption; `heads` are (class, HTML) of the columns."""
    columns = "".join(
        f'<th scope="col" role="columnheader" class="{name}">{html}</th>' for name, html in heads
    )
    return (
        f'<table class="{kind}" role="table"><caption>{caption}</caption><thead role="rowgroup"><tr role="row">'
        f'{columns}</tr></thead><tbody role="rowgroup">{"".join(rows)}</tbody></table>'
    )


def line(head: str, cells: Cells) -> str:
    """A row: its head, then its cells."""
    told = "".join(f'<td role="cell" class="{name}">{html}</td>' for name, html in cells)
    return f'<tr role="row"><th scope="row" role="rowheader">{head}</th>{told}</tr>'


def heading(html: str, columns: int) -> str:
    """A row that is the head of those below it."""
    return f'<tr role="row" class="of"><th scope="rowgroup" role="rowheader" colspan="{columns}">{html}</th></tr>'


def name_of(figure: Figure, more: str = "") -> str:
    return f"<b>{escape(figure.title)}</b><small>{escape(f'{figure.counts} {more}'.strip())}</small>"


def mark(figure: Figure, score: Score, kind: str = "main", who: str = "") -> Mark:
    words = f"{who or figure.title}: {figure.told(score)}"
    return Mark(score.value, score.low, score.high, kind, words)


def numbers(figure: Figure, score: Score) -> list[tuple[str, str]]:
    """Value, interval and n of n, each in its cell."""
    return [
        ("value", figure.written(score.value)),
        ("between", figure.bounds(score.low, score.high)),
        ("n", of(score.n, score.n_asked)),
    ]


def heads_of(first: str, scale: Scale, labels: Sequence[str], level: float) -> list[tuple[str, str]]:
    return [("head", first), ("chart", axis(scale, labels)), *_number_heads(level)]


def _number_heads(level: float) -> list[tuple[str, str]]:
    return [("value", "value"), ("between", f"{100 * level:g} % interval"), ("n", "rows")]


def percents(scale: Scale) -> list[str]:
    return [f"{100 * tick:.3g} %" for tick in scale.ticks]


def by_direction(rows: Sequence[Row], level: float) -> str:
    """A forest plot for each direction in which figures improve."""
    made = []
    for better, caption in DIRECTIONS.items():
        of_it = [row for row in rows if row.about.better is better]
        if of_it:
            made.append(_forest(caption, of_it, level))
    return "".join(made)


def _forest(caption: str, rows: Sequence[Row], level: float) -> str:
    shares = [row for row in rows if row.about.unit is Unit.SHARE]
    scale = reaching(end for row in shares for end in (row.score.value, row.score.high))
    heads = heads_of("figure", scale, percents(scale) if shares else [""] * len(scale.ticks), level)
    lines = (
        line(
            name_of(row.about) + _beside(row), [("chart", _drawn(scale, row)), *numbers(row.about, row.score)]
        )
        for row in rows
    )
    return table("forest", caption, heads, lines)


def _beside(row: Row) -> str:
    told = written_beside(row.about, row.blind)
    return f"<small>Blind: {escape(told)}.</small>" if told else ""


def _drawn(scale: Scale, row: Row) -> str:
    return forest(scale, [mark(row.about, row.score)]) if row.about.unit is Unit.SHARE else ""


def plain(rows: Sequence[Row], level: float) -> str:
    """Figures without a chart, the way that is better in words."""
    heads = [("head", "figure"), *_number_heads(level)]
    lines = (
        line(name_of(row.about, f"{DIRECTIONS[row.about.better]}."), numbers(row.about, row.score))
        for row in rows
    )
    return table("forest", "Figures", heads, lines)


def by_judge(one: Judged, level: float, of: str = "") -> str:
    """A judge's scores; `of` says of which part of the rows."""
    heads = heads_of("score", OF_TEN, [f"{tick:g}" for tick in OF_TEN.ticks], level)
    lines = (
        line(
            name_of(row.about),
            [("chart", forest(OF_TEN, [mark(row.about, row.score)])), *numbers(row.about, row.score)],
        )
        for row in one.rows
    )
    named = f"{spoken(one.judge)}, {spoken(of)}" if of else spoken(one.judge)
    caption = f"Judge: {named}. From 1 to 10; higher is better, and for risk 10 is safest"
    return table("forest", caption, heads, lines)


def by_word(parts: Sequence[Part], caption: str, level: float) -> str:
    """Both ways of being wrong for each word of a column, one below the other."""
    accepts, rejects = about("false_premise"), about("over_rejection")
    ends = [end for part in parts for one in (part.accepted, part.rejected) for end in (one.value, one.high)]
    scale = reaching(ends)

    def cells(part: Part) -> Cells:
        marks = [mark(accepts, part.accepted, "false"), mark(rejects, part.rejected, "true")]
        yield "chart", forest(scale, marks)
        both = zip(numbers(accepts, part.accepted), numbers(rejects, part.rejected), strict=True)
        for (kind, first), (_, second) in both:
            yield kind, f'<span class="false">{first}</span><span class="true">{second}</span>'

    heads = heads_of("", scale, percents(scale), level)
    return table(
        "forest two", caption, heads, (line(f"<b>{spoken(part.word)}</b>", cells(part)) for part in parts)
    )


def by_risk(parts: Sequence[Part], level: float) -> str:
    """A bar for each level of risk."""
    figure = about("hallucination_rate")
    scale = reaching(end for part in parts for end in (part.wrong.value, part.wrong.high))
    lines = (
        line(
            f"<b>{spoken(part.word)}</b>",
            [
                ("chart", bar(scale, mark(figure, part.wrong, f"risk-{_level(part)}", part.word))),
                *numbers(figure, part.wrong),
            ],
        )
        for part in parts
    )
    caption = "Wrong about the premise, by the clinical risk of it"
    return table("forest bars", caption, heads_of("risk", scale, percents(scale), level), lines)


def _level(part: Part) -> str:
    return part.word if part.word in ("low", "moderate", "high", "critical") else "none"


def lexical(figures: Sequence[Lexical], level: float) -> str:
    """Each figure of the model beside those of the blind baselines."""
    names = sorted({name for one in figures for name in one.blind}, key=order)
    heads = [
        ("head", "figure"),
        ("chart", axis(WHOLE, [f"{tick:g}" for tick in WHOLE.ticks])),
        ("value", "model"),
        *(("blind", escape(named(name))) for name in names),
    ]
    return table("forest lexical", "Higher is better, and can be had without looking at the image", heads,
                 (_lexical_line(one, names) for one in figures))  # fmt: skip


def _lexical_line(one: Lexical, names: Sequence[str]) -> str:
    figure, score = one.row.about, one.row.score
    others = [
        mark(figure, one.blind[name], f"blind-{at}", named(name))
        for at, name in enumerate(names)
        if name in one.blind
    ]
    *first, last = map(named, one.not_above) if one.not_above else ("",)
    below = f"{', '.join(first)} or {last}" if first else last
    cells = [
        ("chart", beside(WHOLE, mark(figure, score), others)),
        ("value", stacked(figure, score)),
        *(("blind", _blind_cell(one, name, at)) for at, name in enumerate(names)),
    ]
    return line(name_of(figure) + (f"<em>Not above {escape(below)}.</em>" if below else ""), cells)


def _blind_cell(one: Lexical, name: str, at: int) -> str:
    score = one.blind.get(name)
    key = f'<i class="key blind-{at}"></i><span class="who">{escape(named(name))}</span>'
    if score is None:
        return f"{key} –"
    fewer = score.n < one.row.score.n_asked
    rows = f"<small>{of(score.n, one.row.score.n_asked)}</small>" if fewer else ""
    between = "" if score.low is None else f"<small>{one.row.about.bounds(score.low, score.high)}</small>"
    return f"{key} {one.row.about.written(score.value)}{between}{rows}"


def stacked(figure: Figure, score: Score) -> str:
    """Value, interval and n of n in one cell, one below the other."""
    return (
        f"<b>{figure.written(score.value)}</b><small>{figure.bounds(score.low, score.high)}</small>"
        f"<small>{of(score.n, score.n_asked)}</small>"
    )


def bin_table(bins: Sequence[Bin]) -> str:
    figure = about("polarity")
    heads = [
        ("head", "confidence"),
        ("value", "mean"),
        ("value", "right"),
        ("between", "interval"),
        ("n", "rows"),
    ]
    lines = (
        line(
            f"{100 * one.start:.3g} to {100 * one.end:.3g} %",
            [("value", f"{one.confidence:.1%}".replace("%", " %")), *numbers(figure, one.right)],
        )
        for one in bins
    )
    return table("plain", "Replies by confidence", heads, lines)


def curve_table(points: Sequence[Point]) -> str:
    share = about("risk_coverage.at_80")
    lines = (line(f"{100 * one.coverage:.0f} %", [("value", share.written(one.wrong))]) for one in points)
    return table("plain", "Errors among the surest replies", [("head", "surest"), ("value", "wrong")], lines)
