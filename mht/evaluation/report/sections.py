"""The parts of a benchmark's chapter in their order: what can be trusted, what is judged, what can be gamed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape

from mht.evaluation.intervals import IntervalParams
from mht.evaluation.report.cards import unread
from mht.evaluation.report.chapter import Chapter, Judged
from mht.evaluation.report.charts import reliability, risk_coverage
from mht.evaluation.report.figures import PREMISES, Group, about
from mht.evaluation.report.groups import Breakdown
from mht.evaluation.report.panel import LEAD, agreed_table, alone_table, pairs
from mht.evaluation.report.parts import by_part, crossed
from mht.evaluation.report.tables import (
    bin_table,
    by_direction,
    by_judge,
    by_risk,
    by_word,
    curve_table,
    lexical,
    plain,
    spoken,
)
from mht.evaluation.report.text import one_line

_MISSING = {
    "undecided": "the reply can be read neither way",
    "nothing_read": "no finding is read in the reply, or none is known of the image",
    "no_likelihood": "the model gives no probability of yes",
    "lone_twin": "the other question of the twins was not asked",
}
_TOLD = {
    "trusted": (
        "What can be counted",
        "Counted from the words of the replies by rules, without a judge: the same replies give the same figures.",
    ),
    "risk": (
        "By clinical risk",
        "The harm that could follow if the premise were believed, by annotation rules of this project; agreed with no "
        "clinical body.",
    ),
    "type": (
        "By type of question",
        "Both ways of being wrong, since one alone can be avoided by always saying no, or always yes.",
    ),
    "cross": (
        "By type and kind of image",
        "The darker, the more is wrong. A dash stands for an interval that too "
        "few images give, a dot for what was not asked.",
    ),
    "parts": (
        "By part of the benchmark",
        "The benchmark's principal figures by what its rows tell of themselves; a difference between parts is one of "
        "their questions, too.",
    ),
    "other": ("Other breakdowns", "The same two ways of being wrong."),
    "confidence": (
        "Confidence",
        "From the probability that the model gave to yes, of yes and no, where the reference says one of them.",
    ),
    "judged": (
        "As judged",
        "A judge's opinion, not a count. Scores of two judges are on scales of their own: never compare their means.",
    ),
    "unscored": (
        "Without a score",
        "Rows that were asked and that a figure does not count. They are never taken for right or for wrong.",
    ),
    "notes": ("About this benchmark", "What its reader found in the copy that was asked."),
}
_LEGEND = (
    '<span><i class="key false"></i>False premises accepted</span> '
    '<span><i class="key true"></i>True premises rejected</span>'
)
_ALSO = {"form": "By form of question", "site": "By place in the body"}
_BY = {"type": "By type of question", "modality": "By kind of image", "risk": "By clinical risk", **_ALSO}
_SQUARE = (
    "<figure><figcaption>{title}<small>{words}</small></figcaption>{chart}"
    "<details><summary>Numbers</summary>{table}</details></figure>"
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part: `key` names it, `title` is text, `lead` and `body` are HTML."""

    key: str
    title: str
    lead: str
    body: str


def sections(one: Chapter, errors: Section, intervals: IntervalParams) -> Iterator[Section]:
    """Those that have something to tell."""
    if not one.asked:
        return
    yield errors
    level = intervals.level
    yield from _trusted(one, level)
    if one.bins:
        yield _told("confidence", _confidence(one, level))
    if one.judged:
        yield _told("judged", "".join(_by_judge(judge, level) for judge in one.judged) + _panel(one))
    if one.lexical:
        title = "Likeness of words, beside blind baselines"
        yield Section("lexical", title, _lexical_lead(one), _sheet(lexical(one.lexical, level)))
    yield from _unscored(one)
    if one.notes:
        yield _told("notes", _list(f"<li>{_text(note)}</li>" for note in one.notes))


def _told(key: str, body: str) -> Section:
    title, lead = _TOLD[key]
    return Section(key, title, lead, body)


def _panel(one: Chapter) -> str:
    """The judges beside each other, and each beside what is counted."""
    if not one.alone:
        return ""
    tables = [agreed_table(of_pair) for of_pair in pairs(one.agreed)] + [alone_table(one.alone)]
    lead = f'<p class="lead">{escape(LEAD)}</p>' if one.agreed else ""
    summary = "How far the judges agree" if one.agreed else "How far to trust the judge"
    return f"<details><summary>{summary}</summary>{lead}{''.join(map(_sheet, tables))}</details>"


def _sheet(html: str) -> str:
    return f'<div class="sheet">{html}</div>'


def _list(items: Iterable[str]) -> str:
    return _sheet(f'<ul class="facts">{"".join(items)}</ul>')


def _trusted(one: Chapter, level: float) -> Iterator[Section]:
    rows = one.of(Group.WORDS)
    if rows:
        yield _told("trusted", _sheet(by_direction(rows, level)))
    if "risk" in one.by:
        yield _told("risk", _sheet(by_risk(one.by["risk"], level)))
    if "type" in one.by:
        yield _told("type", _sheet(by_word(one.by["type"], _LEGEND, level)))
    if one.parts:
        yield _told("parts", "".join(map(partial(_part, level=level), one.parts)))
    if one.cross is not None:
        yield _told("cross", _sheet(crossed(one.cross)))
    others = [column for column in _ALSO if column in one.by]
    if others:
        folded = (
            f"<details><summary>{_ALSO[column]}</summary>{_sheet(by_word(one.by[column], _LEGEND, level))}</details>"
            for column in others
        )
        yield _told("other", "".join(folded))


def _by_judge(one: Judged, level: float) -> str:
    """A judge's table, and behind it the same of true and of false premises: their mean is of neither."""
    named = ((PREMISES.get(state, state), rows) for state, rows in one.states.items())
    apart = (
        f"<details><summary>{escape(name)}</summary>"
        f"{_sheet(by_judge(Judged(one.judge, rows), level, name.lower()))}</details>"
        for name, rows in named
    )
    return _sheet(by_judge(one, level)) + "".join(apart)


def _part(one: Breakdown, level: float) -> str:
    summary = f"{about(one.name).title}, {_BY[one.column][0].lower()}{_BY[one.column][1:]}"
    return f"<details open><summary>{escape(summary)}</summary>{_sheet(by_part(one, level))}</details>"


def _confidence(one: Chapter, level: float) -> str:
    rows = one.of(Group.CONFIDENCE)
    calibrated = _SQUARE.format(
        title="Calibration",
        words="On the dashed line the model is as sure as it is right; below it, too sure. Larger points hold more.",
        chart=reliability(one.bins),
        table=bin_table(one.bins),
    )
    covered = _SQUARE.format(
        title="Risk and coverage",
        words="What would be wrong if only the surest replies were given, and the others handed to a person.",
        chart=risk_coverage(one.curve),
        table=curve_table(one.curve),
    )
    figures = _sheet(plain(rows, level)) if rows else ""
    return f'<div class="squares">{calibrated}{covered}</div>{figures}'


def _lexical_lead(one: Chapter) -> str:
    blind = {name for figure in one.lexical for name in figure.blind}
    if not blind:
        return "Words in common with the reference. No blind baseline was measured, so these say little by themselves."
    return (
        "Words in common with the reference. Blind baselines never see the image: “Yes, ” or “No, ” and the question, "
        "the answer that is right most often, the same model asked without the image, and what is known of the image "
        "whatever was asked. What is not above all of them has not shown that it looks. Baselines are of every row "
        "asked, unless it is said of how many."
    )


def _unscored(one: Chapter) -> Iterator[Section]:
    alike: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for row in one.rows:
        if row.score.unscored:
            alike.setdefault(row.score.unscored, []).append(row.about.title)
    if not alike and not one.undecided:
        return
    body = _list(_missing(*item) for item in alike.items()) if alike else ""
    if one.undecided:
        body += (
            f"<details><summary>{len(one.undecided)} of the replies that can be read neither way</summary>"
            f"{_sheet(unread(one.undecided))}</details>"
        )
    yield _told("unscored", body)


def _missing(reasons: Sequence[tuple[str, int]], titles: Sequence[str]) -> str:
    told = "; ".join(f"{count:,} × {_reason(reason)}" for reason, count in reasons)
    return f"<li>{told}<small>{_text(', '.join(titles))}</small></li>"


def _reason(reason: str) -> str:
    for prefix, words in (("failed_", "no reply"), ("judge_error_", "no judgement")):
        if reason.startswith(prefix):
            return f"{words} ({spoken(reason.removeprefix(prefix))})"
    return _MISSING.get(reason, spoken(reason))


def _text(words: str) -> str:
    return escape(one_line(words, 600))
