"""Runs against each other: differences in pairs, on the same rows, with intervals; a tie is said to be a tie.

Each further run is compared with the first. The same clusters are drawn for both (`intervals.difference`), so that what
makes an image difficult for both does not blur the difference. A verdict holds for all comparisons of the page together
(`family`); the intervals are each by itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from mht.errors import ConfigError, InputError
from mht.evaluation.again import Again, again
from mht.evaluation.family import holm
from mht.evaluation.intervals import Difference, IntervalParams, difference, with_interval
from mht.evaluation.report.figures import Better, Figure, Group, about, listed
from mht.evaluation.run import EvaluationRun
from mht.evaluation.same_judges import same_judges
from mht.judgements import Judgement
from mht.predictions import Measured, Prediction, Score, score
from mht.storage import StorageParams

_SHOWN = 3


class CompareConfig(BaseModel):
    """`rows`: `same` refuses runs that were not asked the same; `shared` compares what all of them were asked.

    `output` is a folder for compare.html and compare.json, None for the terminal alone.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: Literal["same", "shared"] = "same"
    output: str | None = None
    intervals: IntervalParams = IntervalParams()
    storage: StorageParams = StorageParams()


class Verdict(StrEnum):
    """What an interval of a difference says. `HIGHER` and `LOWER` are of figures where neither way is better."""

    BETTER = "better"
    WORSE = "worse"
    HIGHER = "higher"
    LOWER = "lower"
    TIE = "tie"
    UNKNOWN = "no interval"


@dataclass(frozen=True, slots=True)
class Against:
    """A further run's figure and the first's on the rows that both have scored, and how far they differ.

    `n` of both is of those rows, `n_asked` of all that were asked. `p` is the difference's among all of the page, None
    where it has none; over 1 - level the verdict is a tie, whatever the interval.
    """

    first: Score
    score: Score
    difference: Difference
    verdict: Verdict
    p: float | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One figure in all runs; `others` are in the order of the runs. `blind`: baselines, of lexical figures."""

    about: Figure
    first: Score
    others: tuple[Against, ...]
    blind: Mapping[str, Score]


@dataclass(frozen=True, slots=True)
class Compared:
    """One benchmark: the rows that all runs were asked, and what must be known of them."""

    name: str
    rows: int
    clusters: int
    messages: tuple[str, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs by their names, the first is what the others are compared with."""

    names: tuple[str, ...]
    benchmarks: tuple[Compared, ...]
    messages: tuple[str, ...]

    @property
    def against(self) -> list[Against]:
        """Every comparison of the page."""
        return [other for one in self.benchmarks for line in one.lines for other in line.others]


def compare(runs: Sequence[EvaluationRun], config: CompareConfig) -> Comparison:
    """Raises InputError where the runs were not asked the same, or share no row."""
    if len(runs) < 2:
        raise InputError("compare: one run is nothing to compare with. Name two runs or more.")
    shared = [name for name in runs[0].benchmarks if all(name in run.benchmarks for run in runs)]
    others = sorted({name for run in runs for name in run.benchmarks} - set(shared))
    if others and config.rows == "same":
        raise InputError(f"compare: not all runs were asked {', '.join(others)}. rows=shared leaves it out.")
    if not shared:
        raise InputError("compare: the runs have no benchmark in common.")
    messages = (f"Not compared, since not all runs were asked it: {', '.join(others)}.",) if others else ()
    names = _distinct([run.name for run in runs])
    found = Comparison(names, tuple(_compared(runs, name, config) for name in shared), messages)
    return _together(found, config.intervals.level)


def _together(found: Comparison, level: float) -> Comparison:
    """With verdicts that hold for all comparisons at once."""
    ps = [other.difference.p for other in found.against]
    among = iter(holm([p for p in ps if p is not None]))

    def with_p(other: Against) -> Against:
        if other.difference.p is None:
            return other
        p = next(among)
        return replace(other, p=p, verdict=other.verdict if p <= 1 - level else Verdict.TIE)

    benchmarks = tuple(
        replace(one, lines=tuple(replace(line, others=tuple(map(with_p, line.others))) for line in one.lines))
        for one in found.benchmarks
    )
    return replace(found, benchmarks=benchmarks)


def _distinct(names: Sequence[str]) -> tuple[str, ...]:
    """Names that differ: runs of one model are numbered."""
    if len(set(names)) == len(names):
        return tuple(names)
    return tuple(f"{name} ({at})" for at, name in enumerate(names, 1))


def _compared(runs: Sequence[EvaluationRun], name: str, config: CompareConfig) -> Compared:
    tables = [{row.row_id: row for row in run.benchmarks[name]} for run in runs]
    keys, messages = _shared_rows(name, tables, config.rows)
    kept = [[table[key] for key in keys] for table in tables]
    judges, skipped = same_judges(runs, kept)
    messages += [skipped] if skipped else []
    lines: list[Line] = []
    for metric in _metrics(runs, name):
        try:
            measure = again(runs, metric)
            if metric == "judged":
                lines += _judged_lines(runs[0], name, measure, kept, judges, config.intervals)
            else:
                lines += _lines(runs[0], name, measure, kept, config.intervals)
            messages += _of_one_setting(measure)
        except ConfigError as error:
            messages.append(f"Not compared: {error}")
    clusters = len({row.cluster for row in kept[0]})
    return Compared(name, len(keys), clusters, tuple(messages), tuple(sorted(lines, key=_place)))


def _shared_rows(
    name: str, tables: Sequence[Mapping[str, Prediction]], rows: str
) -> tuple[list[str], list[str]]:
    """(the ids of the rows that all runs were asked, in the first run's order, what is said of the others)."""
    keys = [key for key in tables[0] if all(key in table for table in tables)]
    for key in keys:
        if len({(table[key].question, table[key].truth, table[key].cluster) for table in tables}) > 1:
            raise InputError(
                f"compare: row {key!r} of {name!r} is another question in one of the runs. "
                "Evaluate the models on the same copy of the benchmark."
            )
    lone = sorted({key for table in tables for key in table} - set(keys))
    if not lone:
        return keys, []
    told = ", ".join(map(repr, lone[:_SHOWN])) + (" …" if len(lone) > _SHOWN else "")
    if rows == "same":
        raise InputError(
            f"compare: {len(lone):,} rows of {name!r} were not asked in every run ({told}). "
            "rows=shared compares the others."
        )
    if not keys:
        raise InputError(f"compare: the runs share no row of {name!r}.")
    return keys, [
        f"{len(lone):,} rows that not every run was asked are left out; {len(keys):,} are compared."
    ]


def _of_one_setting(measure: Again) -> list[str]:
    if not measure.unlike:
        return []
    return [
        f"{measure.metric}: the runs were scored by other settings ({', '.join(measure.unlike)}); here all of them are "
        "by the first run's."
    ]


def _judged_lines(
    first: EvaluationRun,
    name: str,
    measure: Again,
    kept: Sequence[Sequence[Prediction]],
    judges: Sequence[str],
    intervals: IntervalParams,
) -> list[Line]:
    """Each judge's figures by themselves, with its name where there are several."""
    lines = []
    for judge in judges:
        own = [[replace(row, judgements=_by(row, judge)) for row in rows] for rows in kept]
        for line in _lines(first, name, measure, own, intervals):
            title = line.about.title if len(judges) == 1 else f"{line.about.title} ({judge})"
            lines.append(replace(line, about=replace(line.about, title=title)))
    return lines


def _by(row: Prediction, judge: str) -> tuple[Judgement, ...]:
    given = row.judged_by(judge)
    return () if given is None else (given,)


def _lines(
    first: EvaluationRun,
    name: str,
    measure: Again,
    kept: Sequence[Sequence[Prediction]],
    intervals: IntervalParams,
) -> list[Line]:
    """The figures of one metric. Raises ConfigError where it cannot be measured here (a library, its settings)."""
    measured = [measure.measure(rows) for rows in kept]
    blind = _blind(first, name, measure, {row.row_id for row in kept[0]}, intervals)
    return [
        _line([one[figure] for one in measured], blind.get(figure, {}), intervals)
        for figure in measured[0]
        if all(figure in one for one in measured) and any(_is_told(one[figure]) for one in measured)
    ]


def _is_told(measured: Measured) -> bool:
    return any(unit.parts is not None for unit in measured.units)


def _place(line: Line) -> int:
    order = list(listed())
    return order.index(line.first.name) if line.first.name in order else len(order)


def _metrics(runs: Sequence[EvaluationRun], name: str) -> list[str]:
    """The metrics that every run has a figure of."""
    scored = [{score.name.partition(".")[0] for score in run.scores.get(name, ())} for run in runs]
    return sorted(set.intersection(*scored))


def _blind(
    run: EvaluationRun, name: str, measure: Again, keys: set[str], intervals: IntervalParams
) -> dict[str, dict[str, Score]]:
    """Of a lexical metric, by figure, what each blind baseline has on the same rows."""
    found: dict[str, dict[str, Score]] = {}
    if about(measure.metric).group is not Group.LEXICAL:
        return found
    for baseline, replies in run.baselines.items():
        rows = [row for row in replies.benchmarks.get(name, ()) if row.row_id in keys]
        for figure, measured in measure.measure(rows).items():
            found.setdefault(figure, {})[baseline] = with_interval(measured, intervals)
    return found


def _line(measured: Sequence[Measured], blind: Mapping[str, Score], intervals: IntervalParams) -> Line:
    told, first = about(measured[0].name), measured[0]
    against = []
    for other in measured[1:]:
        found = difference(other, first, intervals)
        against.append(Against(_both(first, other), _both(other, first), found, verdict(found, told.better)))
    return Line(told, with_interval(first, intervals), tuple(against), blind)


def _both(one: Measured, other: Measured) -> Score:
    """A figure on the units that the other has scored too."""
    scored = {unit.key for unit in other.units if unit.parts is not None}
    units = tuple(unit for unit in one.units if unit.key in scored)
    return replace(score(replace(one, units=units)), n_asked=len(one.units))


def verdict(found: Difference, better: Better) -> Verdict:
    """A tie where the interval holds 0, bounds included: what the rows cannot tell apart is not ranked."""
    if found.low is None or found.high is None:
        return Verdict.UNKNOWN
    if found.low <= 0 <= found.high:
        return Verdict.TIE
    up = found.low > 0
    if better is Better.NEITHER:
        return Verdict.HIGHER if up else Verdict.LOWER
    return Verdict.BETTER if up == (better is Better.HIGHER) else Verdict.WORSE
