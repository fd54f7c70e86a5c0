"""Tables of a figure cut by the words of columns: one below the other, and type by modality."""

from __future__ import annotations

from html import escape

from mht.evaluation.report.charts import forest, reaching
from mht.evaluation.report.figures import Better, Figure, about
from mht.evaluation.report.groups import ALL, Breakdown, Cross
from mht.evaluation.report.tables import (
    DIRECTIONS,
    Cells,
    heads_of,
    line,
    mark,
    numbers,
    percents,
    spoken,
    stacked,
    table,
)
from mht.evaluation.report.text import one_line
from mht.predictions import Score


def by_part(one: Breakdown, level: float) -> str:
    """A principal figure for each word of a column, one below the other."""
    figure = about(one.name)
    scale = reaching(end for _, score in one.parts for end in (score.value, score.high))
    lines = (
        line(
            f"<b>{spoken(word)}</b>",
            [("chart", forest(scale, [mark(figure, score, who=word)])), *numbers(figure, score)],
        )
        for word, score in one.parts
    )
    caption = f"{escape(figure.title)}. {DIRECTIONS[figure.better]}"
    return table("forest two", caption, heads_of(one.column, scale, percents(scale), level), lines)


def crossed(cross: Cross) -> str:
    """A figure by type and modality, the darker the worse."""
    figure = about(cross.name)
    heads = [("head", "type"), *(("", _total(word)) for word in cross.across)]

    def cells(row: str) -> Cells:
        for column in cross.across:
            score = cross.cells.get((row, column))
            yield (_heat(figure, score), _cell(figure, score, f"{row}, {column}"))

    lines = (line(_total(row), cells(row)) for row in cross.down)
    caption = f"{escape(figure.title)}: rate, interval, rows"
    region = 'class="scroll" tabindex="0" role="region" aria-label="Rates by type and modality"'
    return f"<div {region}>{table('cross', caption, heads, lines)}</div>"


def _total(word: str) -> str:
    return "<b>all</b>" if word == ALL else spoken(word)


def _heat(figure: Figure, score: Score | None) -> str:
    if score is None or score.value is None:
        return "cell"
    wrong = 1 - score.value if figure.better is Better.HIGHER else score.value
    return f"cell heat-{min(9, int(wrong * 10))}"


def _cell(figure: Figure, score: Score | None, where: str) -> str:
    if score is None:
        return f'<span aria-label="{escape(one_line(where))}: not asked">·</span>'
    return stacked(figure, score)
