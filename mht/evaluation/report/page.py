"""report.html: one file that opens from disk and loads nothing.

A policy in its head forbids every request, every script and every style but its own, named by its hash. What comes from
a model, a benchmark or a configuration reaches the page as escaped text in which nothing is hidden.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files

import mht
from mht.evaluation.intervals import IntervalParams
from mht.evaluation.report.cards import Pictures, cards
from mht.evaluation.report.chapter import Chapter
from mht.evaluation.report.figures import of
from mht.evaluation.report.sections import Section, sections
from mht.evaluation.report.tables import spoken
from mht.evaluation.report.text import one_line
from mht.evaluation.run import EvaluationRun

MOST_BYTES = 8 << 20
"""How many bytes of images a page may hold; errors past that are shown without theirs, and it says so."""

_HOLE = re.compile(r"\{\{(\w+)\}\}")
_AT_ONCE = 4


def page(
    run: EvaluationRun, chapters: Sequence[Chapter], pictures: Pictures, intervals: IntervalParams
) -> bytes:
    """The same bytes for the same run, images and code."""
    drawn = _gallery(chapters, pictures)
    main = "\n".join(_chapter(one, drawn[one.name], intervals) for one in chapters)
    if not chapters:
        main = '<p class="headline">Nothing was asked: the run names no benchmark.</p>'
    return filled(f"mht evaluation, {run.name}", _header(run, chapters), main, _how_sure(intervals))


def filled(title: str, header: str, main: str, footer: str) -> bytes:
    """The page's frame around its parts, which are HTML; the title is text."""
    style = _shipped("page.css")
    parts = {
        "policy": f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; base-uri 'none'; form-action 'none'",
        "style": style,
        "title": escape(one_line(title)),
        "header": header,
        "main": main,
        "footer": footer,
        "version": escape(mht.__version__),
    }
    return _HOLE.sub(lambda hole: parts[hole[1]], _shipped("page.html")).encode("utf-8", "replace")


@cache
def _shipped(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _gallery(chapters: Sequence[Chapter], pictures: Pictures) -> Mapping[str, list[str]]:
    """The cards of each benchmark, all its pictures asked for at once."""
    room, made = MOST_BYTES, {}
    for one in chapters:
        shown: list[bytes | None] = []
        for picture in pictures(one.name, [error.row for error in one.worst]) if one.worst else ():
            fits = picture is not None and len(picture) <= room
            room -= len(picture) if picture is not None and fits else 0
            shown.append(picture if fits else None)
        made[one.name] = cards(one.worst, shown)
    return made


def _header(run: EvaluationRun, chapters: Sequence[Chapter]) -> str:
    model = ", ".join(
        _short(value) if key in ("kind", "model", "name") else f"{key} {_short(value)}"
        for key, value in run.model.items()
        if isinstance(value, str | int)
    )
    about = f"{_name(model)}. Run <code>{_name(run.run)}</code>, code <code>{_name(run.code)}</code>."
    links = ""
    if len(chapters) > 1:
        items = "".join(f'<a href="#{_anchor(one)}">{spoken(one.name)}</a>' for one in chapters)
        links = f'<nav aria-label="Benchmarks">{items}</nav>'
    return (
        f'<p class="eyebrow">Evaluation of a model</p><h1>{_name(run.name)}</h1>'
        f'<p class="about">{about}</p>{links}'
    )


def _short(value: str | int) -> str:
    """A digest by its first digits."""
    return re.sub(r"^([0-9a-f]{12})[0-9a-f]{20,}$", r"\1…", str(value))


def _name(text: str) -> str:
    return escape(one_line(text))


def _anchor(one: Chapter) -> str:
    return "b-" + re.sub(r"[^a-z0-9]+", "-", one.name.lower())


def _chapter(one: Chapter, drawn: Sequence[str], intervals: IntervalParams) -> str:
    anchor = _anchor(one)
    body = "".join(_section(section) for section in sections(one, _errors(one, drawn), intervals))
    return (
        f'<section class="benchmark" id="{anchor}" aria-labelledby="{anchor}-name">'
        f'<h2 id="{anchor}-name">{spoken(one.name)}: {one.asked:,} questions about {one.clusters:,} images or patients'
        f"</h2>{_headlines(one)}{_sampled(one)}{_incomplete(one)}{body}</section>"
    )


def _headlines(one: Chapter) -> str:
    if not one.asked:
        return '<p class="headline">Nothing was asked of this benchmark: it has no rows.</p>'
    if not one.headlines:
        return '<p class="headline">No figure was measured on this benchmark.</p>'
    return "".join(
        f'<p class="headline{"" if number else " refused"}">{escape(before)}<b>{escape(number)}</b>{escape(after)}'
        f"<span>{escape(rows)}</span></p>"
        for before, number, after, rows in (headline.parts for headline in one.headlines)
    )


def _sampled(one: Chapter) -> str:
    return f'<p class="notice" role="note">{escape(one.sampled)}.</p>' if one.sampled else ""


def _incomplete(one: Chapter) -> str:
    if one.answered == one.asked:
        return ""
    missing = one.asked - one.answered
    kinds = ", ".join(f"{count:,} {spoken(kind)}" for kind, count in one.failures.items())
    have = "has" if missing == 1 else "have"
    return (
        f'<p class="notice" role="note"><b>This run is incomplete.</b> {of(missing, one.asked)} questions {have} no '
        f"reply ({kinds}). No figure below counts them; a model that fails on what is difficult looks better than it "
        "is.</p>"
    )


def _errors(one: Chapter, drawn: Sequence[str]) -> Section:
    shown = (
        f"The first {len(drawn):,} of {one.errors:,}" if one.errors > len(drawn) else f"All {one.errors:,}"
    )
    lead = (
        f"{shown} wrong replies, at most two of an image: the gravest by clinical risk first, then what a judge finds "
        "least safe, then what the model was surest of."
    )
    if any(error.row.premise for error in one.worst):
        lead += " <mark>Marked</mark> is the premise."
    body = f'<ul class="cards">{"".join(drawn[:_AT_ONCE])}</ul>'
    if len(drawn) > _AT_ONCE:
        rest = "".join(drawn[_AT_ONCE:])
        body += (
            f'<details><summary>{len(drawn) - _AT_ONCE} more</summary><ul class="cards">{rest}</ul></details>'
        )
    if not one.errors:
        lead, body = "No reply was found to be wrong.", ""
    return Section("worst", "Worst errors", lead, body)


def _section(one: Section) -> str:
    return f'<h3 data-part="{one.key}">{escape(one.title)}</h3><p class="lead">{one.lead}</p>{one.body}'


def _how_sure(intervals: IntervalParams) -> str:
    method = {"bca": "BCa"}.get(intervals.method, intervals.method)
    made = f"{escape(method)}, {intervals.draws:,} draws"
    return (
        f"<p>Intervals are {100 * intervals.level:g} % bootstrap intervals ({made}) over images, or over patients "
        "where they are known, never over rows: how far a figure could move with other images like these. Rows are "
        "told as scored of asked.</p>"
    )
