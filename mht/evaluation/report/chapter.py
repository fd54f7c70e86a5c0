"""What is told of one benchmark, as records: the page, report.json and report.md are three ways of writing them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mht.evaluation.intervals import IntervalParams, with_interval
from mht.evaluation.metrics import calibration, judged
from mht.evaluation.report.agreeing import Agreed, Alone, agreed, alone
from mht.evaluation.report.confidence import Bin, Point, bins, curve
from mht.evaluation.report.figures import Figure, Group, about, listed
from mht.evaluation.report.groups import SPLIT_BY, Breakdown, Cross, Grouping, Part, Parts
from mht.evaluation.report.headline import Headline, headlines
from mht.evaluation.report.worst import Wrong, chosen, undecided, wrong
from mht.evaluation.run import EvaluationRun
from mht.evaluation.sample import SAMPLED
from mht.predictions import Prediction, Score

_SHOWN_ERRORS, _SHOWN_UNDECIDED = 24, 8
_BESIDE_BLIND = frozenset({
    "false_premise", "over_rejection", "hallucination_rate", "twins", "choice", "choice.of_all", "polarity",
    "polarity.of_all", "pope", "pope.of_all", "vqa.closed",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: what is said of it, its value, and that of each blind baseline which it is told beside, by name."""

    about: Figure
    score: Score
    blind: Mapping[str, Score] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judged:
    """The scores that one judge gave; `states` are those on true and on false premises, where there are both."""

    judge: str
    rows: tuple[Row, ...]
    states: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lexical:
    """A lexical figure of the model and of each blind baseline, by its name."""

    row: Row
    blind: Mapping[str, Score]

    @property
    def not_above(self) -> tuple[str, ...]:
        """The baselines that the model is not above for certain: its interval reaches down to their value."""
        bottom = self.row.score.value if self.row.score.low is None else self.row.score.low
        reached = {
            name: one.value
            for name, one in self.blind.items()
            if one.value is not None and bottom is not None
        }
        return tuple(name for name, value in reached.items() if bottom is not None and bottom <= value)


@dataclass(frozen=True, slots=True)
class Chapter:
    """One benchmark. `failures` counts requests without a reply by kind, `errors` all wrong replies that are told."""

    name: str
    asked: int
    answered: int
    clusters: int
    failures: Mapping[str, int]
    headlines: tuple[Headline, ...]
    rows: tuple[Row, ...]
    by: Mapping[str, tuple[Part, ...]]
    parts: tuple[Breakdown, ...]
    cross: Cross | None
    bins: tuple[Bin, ...]
    curve: tuple[Point, ...]
    judged: tuple[Judged, ...]
    agreed: tuple[Agreed, ...]
    alone: tuple[Alone, ...]
    lexical: tuple[Lexical, ...]
    errors: int
    worst: tuple[Wrong, ...]
    undecided: tuple[Prediction, ...]
    notes: tuple[str, ...]

    @property
    def sampled(self) -> str:
        """What is said where not every question was asked; empty where each was."""
        return next((note for note in self.notes if note.startswith(SAMPLED)), "")

    @property
    def told(self) -> tuple[Row, ...]:
        """The figures that have a value, or could have had one: without those that no row gives anything for."""
        return tuple(row for row in self.rows if row.score.n)

    def of(self, group: Group) -> tuple[Row, ...]:
        return tuple(row for row in self.told if row.about.group is group)


def chapter(run: EvaluationRun, benchmark: str, intervals: IntervalParams) -> Chapter:
    """Everything that is told of a benchmark of the run, measured where the run's scores do not have it."""
    rows, scores = run.benchmarks[benchmark], run.scores.get(benchmark, ())
    answered, asked = run.answered(benchmark)
    errors, grouping, principal = wrong(rows), Grouping(rows, intervals), Parts(rows, intervals)
    told = tuple(_in_order(scores))
    blind = {
        name: {score.name: score for score in one.scores.get(benchmark, ())}
        for name, one in run.baselines.items()
    }
    return Chapter(
        name=benchmark,
        asked=asked,
        answered=answered,
        clusters=len({row.cluster for row in rows}),
        failures=dict(Counter(str(row.failure) for row in rows if row.reply is None).most_common()),
        headlines=headlines(scores, run.partial),
        rows=tuple(_beside(row, blind) for row in told if row.about.group in (Group.WORDS, Group.CONFIDENCE)),
        by={column: parts for column in SPLIT_BY if (parts := grouping.by(column))},
        parts=tuple(one for column in SPLIT_BY for one in principal.by(column)),
        cross=grouping.cross() or principal.cross(),
        bins=bins(rows, calibration.Params(), intervals),
        curve=curve(rows),
        judged=_judged(rows, told, intervals),
        agreed=agreed(rows),
        alone=alone(rows, run.judges, run.config.get("seed")),
        lexical=tuple(
            Lexical(row, _of_baselines(row, blind)) for row in told if row.about.group is Group.LEXICAL
        ),
        errors=len(errors),
        worst=tuple(chosen(errors, _SHOWN_ERRORS)),
        undecided=tuple(undecided(rows, _SHOWN_UNDECIDED)),
        notes=tuple(run.notes.get(benchmark, ())),
    )


def _in_order(scores: Sequence[Score]) -> list[Row]:
    """In the order of figures.tsv, what is not listed last; groups (`metric.type=laterality`) are told elsewhere."""
    order = list(listed())
    plain = [score for score in scores if "=" not in score.name and score.n_asked]
    ranked = sorted(plain, key=lambda one: order.index(one.name) if one.name in order else len(order))
    return [Row(about(score.name), score) for score in ranked]


def _judged(rows: Sequence[Prediction], told: Sequence[Row], intervals: IntervalParams) -> tuple[Judged, ...]:
    """Each judge's scores by themselves; those of the run where its rows carry no judgement."""
    names = judged.judges(rows)
    if not names:
        given = tuple(row for row in told if row.about.group is Group.JUDGED)
        return (Judged("a judge that the rows do not name", given),) if given else ()
    states = sorted({row.state for row in rows if row.state is not None})
    parts = {state: [row for row in rows if row.state == state] for state in states if len(states) > 1}
    return tuple(
        Judged(
            name, _scored(rows, name, intervals), {s: _scored(of, name, intervals) for s, of in parts.items()}
        )
        for name in names
    )


def _scored(rows: Sequence[Prediction], judge: str, intervals: IntervalParams) -> tuple[Row, ...]:
    return tuple(_in_order([with_interval(one, intervals) for one in judged.of_judge(rows, judge)]))


def _of_baselines(row: Row, blind: Mapping[str, Mapping[str, Score]]) -> dict[str, Score]:
    """The same figure of each blind baseline that has it."""
    return {name: by[row.score.name] for name, by in blind.items() if row.score.name in by}


def _beside(row: Row, blind: Mapping[str, Mapping[str, Score]]) -> Row:
    """With the baselines that have a value, where the figure is one of whether replies are right."""
    if row.score.name not in _BESIDE_BLIND:
        return row
    return replace(row, blind={name: one for name, one in _of_baselines(row, blind).items() if one.n})
