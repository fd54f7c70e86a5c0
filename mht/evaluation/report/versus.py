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
from mht.evaluation.report.figures import Better, Group, Unit
from mht.evaluation.report.page import filled
from mht.evaluation.report.plain import score_json
from mht.evaluation.report.tables import line, name_of, spoken, table
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
_KIND = {Verdict.BETTER: "better", Verdict.WORSE: "worse"}
_CAUTION = (
    "A tie: the interval of the difference holds 0, so that these rows cannot tell the two apart. Of figures that do "
    "not differ at all about one in twenty shows a difference by chance, and each further figure is one more chance."
)
HEAD_FIGURES = ("false_premise", "over_rejection", "polarity", "vqa")


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
        f"<p>{_CAUTION}</p><p>Differences are paired: both runs' replies to the same rows, the same images drawn for "
        f"both, {intervals.draws:,} times ({intervals.method}); {100 * intervals.level:g} % intervals.</p>"
    )
    return filled(f"mht comparison, {', '.join(one.names)}", header, main, footer)


def _benchmark(one: Compared, names: Sequence[str], intervals: IntervalParams) -> str:
    heads = "".join(f'<p class="headline">{escape(sentence)}</p>' for sentence in sentences(one, names))
    notes = "".join(
        f'<p class="notice" role="note">{escape(one_line(text, 600))}</p>' for text in one.messages
    )
    body = "".join(_group(group, one, names, intervals.level) for group in _GROUPS)
    return (
        f'<section class="benchmark"><h2>{spoken(one.name)}: {one.rows:,} questions about {one.clusters:,} images or '
        f"patients</h2>{heads}{notes}{body}</section>"
    )


def sentences(one: Compared, names: Sequence[str]) -> Iterator[str]:
    """What is said first: of the figures of the premise, or else of the first there is, for each further run."""
    found = [line for line in one.lines if line.first.name in HEAD_FIGURES[:2]]
    found = found or [line for line in one.lines if line.first.name in HEAD_FIGURES] or list(one.lines[:1])
    for told in found[:2]:
        for name, other in zip(names[1:], told.others, strict=True):
            yield _sentence(told, one_line(names[0], 60), one_line(name, 60), other)


def _sentence(told: Line, first: str, name: str, other: Against) -> str:
    figure, gap = told.about, other.difference
    values = f"{figure.written(other.score.value)} against {figure.written(told.first.value)}"
    between = f"difference {figure.written(gap.value, signed=True)}, {figure.bounds(gap.low, gap.high, signed=True)}"
    told_rows = f"({between}; {gap.n:,} rows scored in both)"
    if other.verdict is Verdict.TIE:
        return f"{figure.title}: {name} and {first} tie, {values} {told_rows}."
    if other.verdict is Verdict.UNKNOWN:
        return f"{figure.title}: {name} {values} of {first}; too few images to tell {told_rows}."
    return f"{figure.title}: {name} is {other.verdict} than {first}, {values} {told_rows}."


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
        ("value", "difference"),
        ("between", f"{100 * level:g} % interval"),
        ("n", f"against {spoken(names[0])}"),
        ("verdict", "verdict"),
    ]
    caption = f"Difference from {spoken(names[0])}" + (f", in {_UNITS[unit]}" if _UNITS[unit] else "")
    return table("forest versus", caption, heads, (_row(told, names, scale) for told in lines))


def _tick(unit: Unit, tick: float) -> str:
    return f"{100 * tick if unit is Unit.SHARE else tick:+.3g}" if tick else "0"


def _row(told: Line, names: Sequence[str], scale: Scale) -> str:
    figure = told.about
    marks = [_mark(told, name, other) for name, other in zip(names[1:], told.others, strict=True)]
    gaps = [other.difference for other in told.others]
    several = len(names) > 2
    verdicts = [
        f'<b class="verdict-{_KIND.get(other.verdict, "tie")}">{other.verdict}</b>'
        + (f" <small>{spoken(name)}</small>" if several else "")
        for name, other in zip(names[1:], told.others, strict=True)
    ]
    head = name_of(figure, _BETTER[figure.better])
    if told.blind:
        blind = ", ".join(f"{spoken(name)} {figure.written(one.value)}" for name, one in told.blind.items())
        head += f"<small>Blind: {blind}.</small>"
    first = figure.written(told.first.value)
    return line(head, [
        ("chart", forest(scale, marks)),
        ("value", _each(figure.written(gap.value, signed=True).partition(" ")[0] for gap in gaps)),
        ("between", _each(figure.bounds(gap.low, gap.high, signed=True) for gap in gaps)),
        ("n", _each(f"{figure.written(one.score.value)} / {first}, {one.difference.n:,} rows" for one in told.others)),
        ("verdict", _each(verdicts)),
    ])  # fmt: skip


def _each(cells: Sequence[str] | Iterator[str]) -> str:
    return "".join(f'<span class="each">{cell}</span>' for cell in cells)


def _mark(told: Line, name: str, other: Against) -> Mark:
    gap = other.difference
    words = (
        f"{one_line(name, 60)}: {told.about.written(gap.value, signed=True)} "
        f"({told.about.bounds(gap.low, gap.high, signed=True)}), {other.verdict}"
    )
    return Mark(gap.value, gap.low, gap.high, _KIND.get(other.verdict, "tie"), words)


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
    return "\n".join([*parts, f"tie: the {100 * intervals.level:g} % interval of the difference holds 0"])


def _text_table(one: Compared, first: str, name: str, at: int, level: float) -> str:
    rows = [["", first, name, "difference", f"{100 * level:g} % interval", "rows", ""]]
    for told in one.lines:
        figure, other = told.about, told.others[at]
        gap = other.difference
        rows.append([
            figure.title, figure.written(told.first.value), figure.written(other.score.value),
            figure.written(gap.value, signed=True), figure.bounds(gap.low, gap.high, signed=True),
            f"{gap.n:,}", str(other.verdict),
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
        "score": score_json(other.score),
        "difference": asdict(other.difference),
        "verdict": str(other.verdict),
    }
