"""report.json for a program, report.md for a pull request: the page's figures in the page's order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from mht.artifacts import dump_json
from mht.evaluation.intervals import IntervalParams
from mht.evaluation.report.agreeing import Agreed, Alone
from mht.evaluation.report.blind import written, written_beside
from mht.evaluation.report.chapter import Chapter, Lexical, Row
from mht.evaluation.report.figures import PREMISES, about, of
from mht.evaluation.report.groups import Part
from mht.evaluation.report.panel import AGREED, ALONE, agreed_cells, alone_cells, pairs
from mht.evaluation.report.text import one_line
from mht.evaluation.run import EvaluationRun, unanswered
from mht.predictions import Score

FORMAT = "mht-report/1"
_TOLD_ERRORS = 5
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>()#!|~]|:(?=//))")


def report_json(run: EvaluationRun, chapters: Sequence[Chapter], intervals: IntervalParams) -> bytes:
    """Every figure with n, n_asked, low, high and what is unscored, by benchmark."""
    return dump_json(
        {
            "format": FORMAT,
            "name": run.name,
            "run": run.run,
            "model": dict(run.model),
            "code": run.code,
            "partial": run.partial,
            "intervals": intervals.model_dump(mode="json"),
            "benchmarks": {one.name: _chapter(one) for one in chapters},
        }
    )


def score_json(score: Score) -> dict[str, Any]:
    """A figure as JSON has it; `unanswered` counts rows that failed, of those in `unscored`."""
    return asdict(score) | {"unscored": dict(score.unscored), "unanswered": unanswered(score)}


def row_json(row: Row) -> dict[str, Any]:
    said = {"title": row.about.title, "unit": str(row.about.unit), "better": str(row.about.better)}
    blind = {name: score_json(score) for name, score in row.blind.items()}
    return score_json(row.score) | said | ({"blind": blind} if blind else {})


def _chapter(one: Chapter) -> dict[str, Any]:
    return {
        "asked": one.asked,
        "answered": one.answered,
        "clusters": one.clusters,
        "complete": one.answered == one.asked,
        "failures": dict(one.failures),
        "headlines": [
            {"text": line.text, "figure": line.score.name, "value": line.value, "refused": line.value is None}
            | {"least": line.least, "most": line.most}
            for line in one.headlines
        ],
        "figures": [row_json(row) for row in one.rows],
        "by": {column: [_part(part) for part in parts] for column, parts in one.by.items()},
        "by_part": [
            {"column": each.column, "figure": each.name}
            | {"parts": [{"word": word} | score_json(score) for word, score in each.parts]}
            for each in one.parts
        ],
        "type_by_modality": [
            {"type": type_, "modality": modality} | score_json(score)
            for (type_, modality), score in (one.cross.cells.items() if one.cross else ())
        ],
        "calibration_bins": [
            {"start": each.start, "end": each.end, "confidence": each.confidence} | score_json(each.right)
            for each in one.bins
        ],
        "risk_coverage": [asdict(point) for point in one.curve],
        "judged": {each.judge: [row_json(row) for row in each.rows] for each in one.judged},
        "judged_by_state": {
            each.judge: {state: [row_json(row) for row in rows] for state, rows in each.states.items()}
            for each in one.judged if each.states
        },
        "judges_agreed": [_panel_json(each) for each in one.agreed],
        "judges_alone": [_panel_json(each) for each in one.alone],
        "lexical": [_lexical(each) for each in one.lexical],
        "errors": one.errors,
        "worst": [{"row_id": error.row.row_id, "image_id": error.row.image_id, "verdict": error.verdict}
                  | {"risk": error.row.risk} for error in one.worst],
        "notes": list(one.notes),
    }  # fmt: skip


def _panel_json(one: Agreed | Alone) -> dict[str, Any]:
    """`rows` scored, `of` the replies."""
    told = asdict(one)
    return {"rows": told.pop("n"), "of": told.pop("n_asked")} | told


def _part(part: Part) -> dict[str, Any]:
    scores = {"wrong": part.wrong, "accepted": part.accepted, "rejected": part.rejected}
    return {"word": part.word} | {name: score_json(score) for name, score in scores.items()}


def _lexical(one: Lexical) -> dict[str, Any]:
    blind: Mapping[str, Any] = {name: score_json(score) for name, score in one.blind.items()}
    return row_json(one.row) | {"blind": blind, "not_above": list(one.not_above)}


def report_md(run: EvaluationRun, chapters: Sequence[Chapter], intervals: IntervalParams) -> bytes:
    """The headlines, the figures and the first errors, in words that no text of a model can turn into markup."""
    lines = [f"# {quoted(run.name)}", ""]
    for one in chapters:
        lines += _markdown(one, intervals)
    return ("\n".join(lines) + "\n").encode("utf-8", "replace")


def quoted(text: str, letters: int = 300) -> str:
    """On one line, visible, and nothing but text to Markdown."""
    return _MARKDOWN.sub(r"\\\1", one_line(text, letters)).replace("@", "@&zwnj;")


def _markdown(one: Chapter, intervals: IntervalParams) -> list[str]:
    lines = [f"## {quoted(one.name)}: {one.asked:,} questions about {one.clusters:,} images or patients", ""]
    if not one.asked:
        return [*lines, "Nothing was asked of this benchmark: it has no rows.", ""]
    if one.sampled:
        lines += [f"> {quoted(one.sampled)}.", ""]
    lines += [line for each in one.headlines for line in (f"**{each.text}**", "")]
    if one.answered != one.asked:
        failed = ", ".join(f"{count:,} {quoted(kind)}" for kind, count in one.failures.items())
        missing = one.asked - one.answered
        told = f"{of(missing, one.asked)} questions {'has' if missing == 1 else 'have'} no reply ({failed})"
        lines += [f"> This run is incomplete: {told}. No figure below counts them.", ""]
    head = f"{100 * intervals.level:g} % interval"
    beside = any(row.blind for row in one.told)
    lines += _table(["figure", "better", "value", head, "rows", *(["blind"] if beside else [])], [
        [row.about.title, str(row.about.better), *_numbers(row), *([_beside(row)] if beside else [])]
        for row in one.told
    ])  # fmt: skip
    lines += _parts(one, head)
    for judged in one.judged:
        lines += [f"Judged by {quoted(judged.judge)}, from 1 to 10; for risk 10 is safest.", ""]
        lines += _table(["score", "value", head, "rows"], _scores(judged.rows))
        for state, rows in judged.states.items():
            lines += [f"{PREMISES.get(state, quoted(state))}, judged by {quoted(judged.judge)}:", ""]
            lines += _table(["score", "value", head, "rows"], _scores(rows))
    return lines + _panel(one) + _words(one, head) + _worst(one)


def _parts(one: Chapter, head: str) -> list[str]:
    """The principal figures by the words of each column."""
    lines = []
    for each in one.parts:
        figure = about(each.name)
        lines += [f"{figure.title}, by {each.column}:", ""]
        lines += _table([each.column, "value", head, "rows"], [
            [quoted(word, 60), *_numbers(Row(figure, score))] for word, score in each.parts
        ])  # fmt: skip
    return lines


def _panel(one: Chapter) -> list[str]:
    """How far the judges agree, and what can be said of each."""
    lines = []
    for of_pair in pairs(one.agreed):
        lines += [f"Agreement of {quoted(of_pair[0].one)} and {quoted(of_pair[0].other)}:", ""]
        lines += _table(AGREED, [agreed_cells(each) for each in of_pair])
    return lines + _table(["judge", *ALONE], [[quoted(each.judge), *alone_cells(each)] for each in one.alone])


def _words(one: Chapter, head: str) -> list[str]:
    """The lexical figures beside the blind baselines."""
    names = list(dict.fromkeys(name for each in one.lexical for name in each.blind))
    return _table(
        ["likeness of words", "model", head, "rows", *(name.replace("_", " ") for name in names)],
        [
            [each.row.about.title, *_numbers(each.row), *(_value(each, name) for name in names)]
            for each in one.lexical
        ],
    )


def _beside(row: Row) -> str:
    return quoted(written_beside(row.about, row.blind)) or "–"


def _value(one: Lexical, name: str) -> str:
    if name not in one.blind:
        return "–"
    return written(one.row.about, one.blind[name])


def _numbers(row: Row) -> list[str]:
    score = row.score
    bounds = row.about.bounds(score.low, score.high)
    return [row.about.written(score.value), bounds, of(score.n, score.n_asked)]


def _scores(rows: Sequence[Row]) -> list[list[str]]:
    return [[row.about.title, *_numbers(row)] for row in rows]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return []
    cells = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(cell.replace('|', '/') for cell in row)} |" for row in cells), ""]


def _worst(one: Chapter) -> list[str]:
    if not one.worst:
        return []
    lines = [f"The gravest of {one.errors:,} wrong replies:", ""]
    for error in one.worst[:_TOLD_ERRORS]:
        row = error.row
        risk = f", risk {quoted(row.risk)}" if row.risk else ""
        lines.append(f"- {error.verdict}{risk} ({quoted(row.row_id)}): {quoted(row.question)}")
        lines.append(f"  Reply: {quoted(row.answer) or 'empty'} Reference: {quoted(row.truth)}")
    return [*lines, ""]
