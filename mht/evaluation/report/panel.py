"""Judges beside each other: two small tables, as HTML and as cells of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from mht.evaluation.report.agreeing import Agreed, Alone
from mht.evaluation.report.figures import about, of
from mht.evaluation.report.tables import line, spoken, table

AGREED = ("scale", "weighted kappa", "rank correlation", "points apart", "rows")
ALONE = {
    "Brier score": "Its accuracy taken for the chance that the reply is right, where its words tell: 0 is the "
    "best, a coin has 0.25.",
    "Rows whose words tell": "Of the replies, those that it scored and whose words tell.",
    "One number holds": "How much of its four scores a single one would hold.",
    "Follows length": "Rank correlation of its accuracy with the reply's length, from −1 to 1.",
    "Follows length at equal quality": "The same among replies that the other judges, or else the words, find equally "
    "good.",
    "Follows the order": "Rank correlation of its accuracy with the reply standing before the reference, which is "
    "drawn: 0 without a bias.",
    "Apart when asked again": "How many points its scores of one reply lie apart.",
    "The same when asked again": "Replies with the very same score each time.",
    "Told apart when asked again": "How much of its scores' variation is between replies (intraclass correlation).",
    "Instructions followed": "Replies told it to grade them ten: how many rose by two points or more.",
}
"""What is told of a judge by itself, and what that is."""
LEAD = "Kappa, weighted by the distance, and rank correlation are 1 for the same judgements and 0 for chance."
NONE = "–"
_KINDS = ("head", "value", "value", "value", "n")


def written(value: float | None) -> str:
    """Two places with a true minus sign; a dash where there is none."""
    return NONE if value is None else f"{value:.2f}".replace("-", "−")


def agreed_cells(one: Agreed) -> list[str]:
    """In the order of AGREED."""
    numbers = [written(value) for value in (one.kappa, one.spearman, one.error)]
    return [about(f"judged.{one.scale}").title, *numbers, of(one.n, one.n_asked)]


def alone_cells(one: Alone) -> list[str]:
    """In the order of ALONE."""
    first = NONE if one.first is None else f"{100 * one.first:.0f} %"
    same = NONE if one.same is None else f"{100 * one.same:.0f} %"
    told = [written(one.brier), of(one.n_told, one.n_asked), first, written(one.length)]
    told += [_of(one.length_left, one.n_left), _of(one.order, one.n), written(one.within)]
    told += [same if one.same is None else f"{same} of {one.n_again:,}", _of(one.icc, one.n_again)]
    return [*told, of(one.followed, one.planted) if one.planted else NONE]


def _of(value: float | None, n: int) -> str:
    """With its rows."""
    return NONE if value is None else f"{written(value)} ({n:,} rows)"


def pairs(found: Sequence[Agreed]) -> list[list[Agreed]]:
    """By two judges."""
    by_names: dict[tuple[str, str], list[Agreed]] = {}
    for one in found:
        by_names.setdefault((one.one, one.other), []).append(one)
    return list(by_names.values())


def agreed_table(of_pair: Sequence[Agreed]) -> str:
    """Two judges on the four scales."""
    caption = f"Agreement of {spoken(of_pair[0].one)} and {spoken(of_pair[0].other)}"
    lines = (
        line(head, list(zip(_KINDS[1:], cells, strict=True))) for head, *cells in map(agreed_cells, of_pair)
    )
    return _scrolled(caption, table("plain", caption, list(zip(_KINDS, AGREED, strict=True)), lines))


def alone_table(judges: Sequence[Alone]) -> str:
    """A column for each judge."""
    columns = [alone_cells(one) for one in judges]
    lines = (
        line(
            f"<b>{escape(title)}</b><small>{escape(words)}</small>",
            [("value", cells[at]) for cells in columns],
        )
        for at, (title, words) in enumerate(ALONE.items())
        if any(cells[at] != NONE for cells in columns)
    )
    caption = "Each judge by itself"
    heads = [("head", ""), *(("value", spoken(one.judge)) for one in judges)]
    return _scrolled(caption, table("plain", caption, heads, lines))


def _scrolled(label: str, html: str) -> str:
    return f'<div class="scroll" tabindex="0" role="region" aria-label="{label}">{html}</div>'
