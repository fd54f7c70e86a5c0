"""A comparison as a page, as text for a terminal and as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from html import escape
from typing import Any

from mht.artifacts import dump_json
from mht.evaluation.compare import Against, Compared, Comparison, Line, Verdict
from mht.evaluation.intervals import IntervalParams
from mht.evaluation.report.charts import Mark, Scale, around_nought, axis, forest
from mht.evaluation.report.figures import Better, Figure, Group, Unit, of
from mht.evaluation.report.page import filled
from mht.evaluation.report.plain import score_json
from mht.evaluation.report.tables import heading, line, name_of, spoken, table
from mht.evaluation.report.text import one_line

FORMAT = "mht-comparison/1"
_GROUPS = {
    Group.WORDS: ("What can be counted", "By rules from the words of the replies, without a judge."),
    Group.CONFIDENCE: ("Confidence", "From the probability that each model gave to yes."),
    Group.JUDGED: ("As judged", "By the same judge; for risk 10 is safest."),
    Group.LEXICAL: ("Likeness of words", "Can be had without looking at the image: see the blind baselines."),
}  # fmt: skip
_UNITS = {Unit.SHARE: "points", Unit.NUMBER: "", Unit.OF_TEN: "points of ten"}
_BETTER = {Better.LOWER: "Lower is better.", Better.HIGHER: "Higher is better.", Better.NEITHER: ""}
_CAUTION = (
    "A tie: these rows cannot tell the two apart. Better and worse hold for all {n:,} comparisons of this page "
    "together: the interval leaves 0 out, and p is at most {p:g} by Holm's correction. The intervals are each by "
    "itself, so that one may leave 0 out beside a tie."
)
HEAD_FIGURES = ("false_premise", "over_rejection", "choice", "polarity", "vqa")


def comparison_page(one: Comparison, intervals: IntervalParams) -> bytes:
    """compare.html: one file that loads nothing."""
    first, *others = map(spoken, one.names)
    header = (
        f'<p class="eyebrow">Comparison of runs, each with the first</p><h1>{" and ".join(others)} against {first}</h1>'
        + "".join(
            f'<p class="notice" role="note">{escape(one_line(message))}</p>' for message in one.messages
        )
    )
    main = "".join(_benchmark(benchmark, one.names, intervals) for benchmark in one.benchmarks)
    footer = (
        f"<p>{_CAUTION.format(n=len(one.against), p=_chance(intervals))}</p>"
        f"<p>Differences are paired: both runs' replies to the same rows, the same images drawn for "
        f"both, {intervals.draws:,} times ({intervals.method}); {100 * intervals.level:g} % intervals.</p>"
    )
    return filled(f"mht comparison, {', '.join(one.names)}", header, main, footer)


def _chance(intervals: IntervalParams) -> float:
    """Of one verdict or more on the page being wrong."""
    return round(1 - intervals.level, 9)


def _benchmark(one: Compared, names: Sequence[str], intervals: IntervalParams) -> str:
    heads = "".join(
        f'<p class="headline told">{escape(before)}<b class="verdict-{kind}">{escape(verdict)}</b>{escape(after)}'
        f"<span>{escape(rows)}</span></p>"
        for before, kind, verdict, after, rows in sentences(one, names)
    )
    notes = "".join(
        f'<p class="notice" role="note">{escape(one_line(text, 600))}</p>' for text in one.messages
    )
    body = "".join(_group(group, one, names, intervals.level) for group in _GROUPS)
    return (
        f'<section class="benchmark"><h2>{spoken(one.name)}: {one.rows:,} questions about {one.clusters:,} images or '
        f"patients</h2>{heads}{notes}{body}</section>"
    )


def sentences(one: Compared, names: Sequence[str]) -> Iterator[tuple[str, str, str, str, str]]:
    """What is said first, of the figures of the premise, or else of the first there is, for each further run.

    (words, kind of verdict, verdict, words, the difference with its interval and n of n in brackets).
    """
    found = [line for line in one.lines if line.first.name in HEAD_FIGURES[:2]]
    found = found or [line for line in one.lines if line.first.name in HEAD_FIGURES] or list(one.lines[:1])
    for told in found[:2]:
        for name, other in zip(names[1:], told.others, strict=True):
            who = f", {one_line(name, 60)}" if len(names) > 2 else ""
            yield (f"{told.about.title}{who}: ", *_sentence(told, other))


def _sentence(told: Line, other: Against) -> tuple[str, str, str, str]:
    figure, gap = told.about, other.difference
    verdict = "too few images to tell" if other.verdict is Verdict.UNKNOWN else str(other.verdict)
    values = f", {figure.written(other.score.value)} against {figure.written(other.first.value)}"
    between = f"difference {figure.written(gap.value, signed=True)}, {figure.bounds(gap.low, gap.high, signed=True)}"
    rows = f" ({between}; {of(gap.n, other.score.n_asked)} rows scored in both)"
    return _kind(other.verdict), verdict, values, rows


def _kind(verdict: Verdict) -> str:
    return str(verdict) if verdict in (Verdict.BETTER, Verdict.WORSE) else "tie"


def _group(group: Group, one: Compared, names: Sequence[str], level: float) -> str:
    lines = [told for told in one.lines if told.about.group is group]
    if not lines:
        return ""
    title, lead = _GROUPS[group]
    tables = "".join(_table(unit, lines, names, level) for unit in _UNITS)
    return f'<h3>{title}</h3><p class="lead">{lead}</p><div class="sheet">{tables}</div>'


def _table(unit: Unit, group: Sequence[Line], names: Sequence[str], level: float) -> str:
    lines = [told for told in group if told.about.unit is unit]
    if not lines:
        return ""
    gaps = [other.difference for told in lines for other in told.others]
    scale = around_nought(end for gap in gaps for end in (gap.value, gap.low, gap.high))
    heads = [
        ("head", "figure"),
        ("chart", axis(scale, [_tick(unit, tick) for tick in scale.ticks])),
        ("value", f"difference<small>{100 * level:g} % interval</small>"),
        ("value pair", f"{spoken(names[0])} → run<small>rows scored in both</small>"),
        ("verdict", "verdict"),
    ]
    caption = f"Difference from {spoken(names[0])}" + (f", in {_UNITS[unit]}" if _UNITS[unit] else "")
    rows = (row for told in lines for row in _rows(told, names, scale, len(heads)))
    return table("forest versus", caption, heads, rows)


def _tick(unit: Unit, tick: float) -> str:
    return f"{100 * tick if unit is Unit.SHARE else tick:+.3g}".replace("-", "−") if tick else "0"


def _rows(told: Line, names: Sequence[str], scale: Scale, columns: int) -> Iterator[str]:
    """One row of two runs; of more, one for each below the figure's name."""
    head = name_of(told.about, _BETTER[told.about.better])
    if told.blind:
        blind = ", ".join(
            f"{spoken(name)} {told.about.written(one.value)}" for name, one in told.blind.items()
        )
        head += f"<small>Blind: {blind}.</small>"
    if len(names) > 2:
        yield heading(head, columns)
    for name, other in zip(names[1:], told.others, strict=True):
        yield line(spoken(name) if len(names) > 2 else head, _cells(told.about, name, other, scale))


def _cells(figure: Figure, name: str, other: Against, scale: Scale) -> list[tuple[str, str]]:
    gap = other.difference
    change = f"{figure.written(other.first.value)} → {figure.written(other.score.value)}"
    between = figure.bounds(gap.low, gap.high, signed=True)
    return [
        ("chart", forest(scale, [_mark(figure, name, other)])),
        ("value", f"{figure.written(gap.value, signed=True).partition(' ')[0]}<small>{between}</small>"),
        ("value pair", f"{change}<small>{of(gap.n, other.score.n_asked)}</small>"),
        ("verdict", f'<b class="verdict-{_kind(other.verdict)}">{other.verdict}</b>'),
    ]


def _mark(figure: Figure, name: str, other: Against) -> Mark:
    gap = other.difference
    between = figure.bounds(gap.low, gap.high, signed=True)
    words = f"{one_line(name, 60)}: {figure.written(gap.value, signed=True)} ({between}), {other.verdict}"
    return Mark(gap.value, gap.low, gap.high, _kind(other.verdict), words)


def comparison_text(one: Comparison, intervals: IntervalParams) -> str:
    """The comparison for a terminal: a table a benchmark and further run."""
    parts = [one_line(message, 600) for message in one.messages]
    for benchmark in one.benchmarks:
        parts.append(
            f"{one_line(benchmark.name)}: {benchmark.rows:,} rows, {benchmark.clusters:,} images or patients"
        )
        parts += [f"  {one_line(message, 600)}" for message in benchmark.messages]
        for at, name in enumerate(one.names[1:]):
            parts.append(
                _text_table(benchmark, one_line(one.names[0], 24), one_line(name, 24), at, intervals.level)
            )
    parts.append(
        f"better, worse: hold for all {len(one.against):,} comparisons together (Holm, p at most "
        f"{_chance(intervals):g}); each interval is by itself"
    )
    return "\n".join(parts)


def _text_table(one: Compared, first: str, name: str, at: int, level: float) -> str:
    rows = [["", first, name, "difference", f"{100 * level:g} % interval", "rows", ""]]
    for told in one.lines:
        figure, other = told.about, told.others[at]
        gap = other.difference
        rows.append([
            figure.title, figure.written(other.first.value), figure.written(other.score.value),
            figure.written(gap.value, signed=True), figure.bounds(gap.low, gap.high, signed=True),
            of(gap.n, other.score.n_asked), str(other.verdict),
        ])  # fmt: skip
        if told.blind:
            blind = ", ".join(
                f"{name.replace('_', ' ')} {figure.written(one.value)}" for name, one in told.blind.items()
            )
            rows.append([f"  blind: {blind}"])
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[column]) for row in full) for column in range(len(full[0]))]
    return "\n".join("  " + _padded(row, widths) for row in rows)


def _padded(row: Sequence[str], widths: Sequence[int]) -> str:
    if len(row) == 1:
        return row[0]
    last = len(row) - 1
    cells = (
        cell.ljust(width) if at in (0, last) else cell.rjust(width)
        for at, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join(cells).rstrip()


def comparison_json(one: Comparison, intervals: IntervalParams) -> bytes:
    """compare.json: every difference with its interval, p, n and verdict."""
    return dump_json(
        {
            "format": FORMAT,
            "runs": list(one.names),
            "messages": list(one.messages),
            "intervals": intervals.model_dump(mode="json"),
            "benchmarks": {
                benchmark.name: {
                    "rows": benchmark.rows,
                    "clusters": benchmark.clusters,
                    "messages": list(benchmark.messages),
                    "figures": [_line_json(told, one.names) for told in benchmark.lines],
                }
                for benchmark in one.benchmarks
            },
        }
    )


def _line_json(told: Line, names: Sequence[str]) -> dict[str, Any]:
    figure = told.about
    return {
        "name": told.first.name,
        "title": figure.title,
        "unit": str(figure.unit),
        "better": str(figure.better),
        "first": score_json(told.first),
        "others": {name: _other_json(other) for name, other in zip(names[1:], told.others, strict=True)},
        "blind": {name: score_json(score) for name, score in told.blind.items()},
    }


def _other_json(other: Against) -> dict[str, Any]:
    return {
        "first": score_json(other.first),
        "score": score_json(other.score),
        "difference": asdict(other.difference),
        "p_holm": other.p,
        "verdict": str(other.verdict),
    }
