"""How far the judges of a run agree with each other, and what can be said of each beside what is counted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

from mht import catalog
from mht.config_judges import JUDGES
from mht.evaluation.agreement import (
    brier,
    length_bias,
    mean_error,
    redundancy,
    repeated,
    spearman,
    weighted_kappa,
)
from mht.evaluation.metrics import judged
from mht.evaluation.report.worst import by_words
from mht.judgements import HIGHEST, LOWEST, SCALES, Scores
from mht.predictions import Prediction

_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Agreed:
    """Two judges on one scale, over the `n` rows of `n_asked` replies that both scored.

    `kappa` is weighted by the square of the distance, on scores rounded to whole points; `error` is the mean absolute
    difference in points. None where it is not defined, as for a judge that gives every row the same.
    """

    one: str
    other: str
    scale: str
    n: int
    n_asked: int
    kappa: float | None
    spearman: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class Alone:
    """One judge beside what is counted. `brier` takes its accuracy, 1 to 10 as 0 to 1, for the chance that the reply is
    right, over the `n_told` rows in which rules can tell; a judge that knows nothing has .25, one that knows all 0.

    `first` is the share of the four scales' variation that one number would hold (1: they are one), `length` the rank
    correlation of accuracy with the reply's length, `length_left` what is left of it at equal quality, over `n_left`
    rows: the mean accuracy by the other judges, or where there is none what the words tell. `order` is the rank
    correlation of accuracy with the reply standing before the reference in the prompt, which is drawn for each row.
    `within` is the standard deviation of accuracy in points when the same row was asked again, `same` the share of
    rows without any, `icc` how much of the scores' variation is between rows, over `n_again` rows; None where none
    was. `followed` counts instructions that a reply gave it and that it obeyed,
    of `planted` in the whole run.
    """

    judge: str
    n: int
    n_asked: int
    brier: float | None
    n_told: int
    first: float | None
    length: float | None
    within: float | None
    length_left: float | None = None
    n_left: int = 0
    order: float | None = None
    same: float | None = None
    icc: float | None = None
    n_again: int = 0
    followed: int = 0
    planted: int = 0


def agreed(rows: Sequence[Prediction]) -> tuple[Agreed, ...]:
    """Every two judges on every scale; nothing where fewer than two judged."""
    replied = [row for row in rows if row.reply is not None]
    given = {name: _scores(replied, name) for name in judged.judges(rows)}
    made = []
    for (one, first), (other, second) in combinations(given.items(), 2):
        keys = [key for key in first if key in second]
        for at, scale in enumerate(SCALES):
            a, b = [first[key][at] for key in keys], [second[key][at] for key in keys]
            enough = len(keys) >= _FEWEST
            made.append(
                Agreed(
                    one,
                    other,
                    scale,
                    len(keys),
                    len(replied),
                    weighted_kappa(_whole(a), _whole(b)) if enough else None,
                    spearman(a, b) if enough else None,
                    mean_error(a, b) if keys else None,
                )
            )
    return tuple(made)


def alone(
    rows: Sequence[Prediction], judges: Mapping[str, Mapping[str, Any]], seed: int | None = None
) -> tuple[Alone, ...]:
    """Every judge by itself; `judges` is what the run says of them, `seed` the run's."""
    replied = [row for row in rows if row.reply is not None]
    right = by_words(replied)
    made = []
    for name in judged.judges(rows):
        probed = judges.get(name, {}).get("probes", {})
        told = {"followed": probed.get("followed", 0), "planted": probed.get("judged", 0)}
        biased = _length_left(replied, name, right) | _again(replied, name)
        order = None if seed is None else _order(replied, name, judges.get(name, {}), seed)
        made.append(replace(_alone(replied, name, right), order=order, **biased, **told))
    return tuple(made)


def _alone(rows: Sequence[Prediction], judge: str, right: Mapping[str, bool]) -> Alone:
    given = _scores(rows, judge)
    accuracy = [scores[0] for scores in given.values()]
    told = [key for key in given if key in right]
    chances = [(given[key][0] - LOWEST) / (HIGHEST - LOWEST) for key in told]
    lengths = {_key(row): float(len(row.answer)) for row in rows}
    enough = len(given) >= _FEWEST
    four = (
        redundancy({name: [one[at] for one in given.values()] for at, name in enumerate(SCALES)})
        if enough
        else None
    )
    return Alone(
        judge,
        len(given),
        len(rows),
        brier(chances, [right[key] for key in told]) if told else None,
        len(told),
        four.first if four is not None else None,
        length_bias(accuracy, [lengths[key] for key in given]) if enough else None,
        None,
    )


def _length_left(rows: Sequence[Prediction], judge: str, right: Mapping[str, bool]) -> dict[str, Any]:
    """How accuracy follows length at equal quality."""
    mine = _scores(rows, judge)
    others = [_scores(rows, name) for name in judged.judges(rows) if name != judge]
    quality = {
        key: sum(of[key][0] for of in others) / len(others) if others else float(right[key])
        for key in mine
        if (all(key in of for of in others) if others else key in right)
    }
    if len(quality) <= _FEWEST:
        return {"n_left": len(quality)}
    lengths = {_key(row): float(len(str(row.reply))) for row in rows}
    left = length_bias([mine[k][0] for k in quality], [lengths[k] for k in quality], list(quality.values()))
    return {"length_left": left, "n_left": len(quality)}


def _again(rows: Sequence[Prediction], judge: str) -> dict[str, Any]:
    """What asking a row again does, of the rows with the most samples: a failed one leaves fewer."""
    said = [one for row in rows if (one := row.judged_by(judge)) is not None]
    times = max((one.samples for one in said if one.spread is not None), default=0)
    told = [(one.accuracy, one.spread[0]) for one in said if one.spread is not None and one.samples == times]
    means, spreads = [float(mean or 0) for mean, _ in told], [spread for _, spread in told]
    if len(told) < _FEWEST:
        return {"n_again": len(told)}
    found = repeated(means, spreads, times)
    return {"within": found.within, "same": found.same, "icc": found.icc, "n_again": len(told)}


def _order(rows: Sequence[Prediction], judge: str, told: Mapping[str, Any], seed: int) -> float | None:
    """Only of a judge that draws the order; on fewer than two rows nothing."""
    kind = told.get("kind")  # judgements of a file are of no plug-in
    if kind not in catalog.names(JUDGES):
        return None
    module: Any = catalog.load(JUDGES, str(kind))
    if not hasattr(module, "answer_first"):
        return None
    given = _scores(rows, judge)
    if len(given) < _FEWEST:
        return None
    first = [module.answer_first(key, int(told.get("samples", 1)), seed) for key in given]
    return spearman([scores[0] for scores in given.values()], first)


def _scores(rows: Sequence[Prediction], judge: str) -> dict[str, Scores]:
    """The four of each row that has them."""
    found = {_key(row): row.judged_by(judge) for row in rows}
    scored = {key: one.scores for key, one in found.items() if one is not None}
    return {key: scores for key, scores in scored.items() if scores is not None}


def _key(row: Prediction) -> str:
    return f"{row.benchmark}/{row.row_id}"


def _whole(scores: Sequence[float]) -> list[int]:
    return [int(score + 0.5) for score in scores]
