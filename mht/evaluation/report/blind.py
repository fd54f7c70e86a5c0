"""What blind baselines are called, in which order, and how their figures are written beside a model's."""

from __future__ import annotations

from collections.abc import Mapping

from mht.evaluation.report.figures import Figure
from mht.evaluation.report.text import one_line
from mht.predictions import Score

_ORDER = ("echo_yes", "echo_no", "majority", "question_only", "caption")


def order(name: str) -> tuple[int, str]:
    """What baselines are sorted by."""
    return (_ORDER.index(name) if name in _ORDER else len(_ORDER), name)


def named(name: str) -> str:
    """As text."""
    return one_line(name, 60).replace("_", " ")


def written(figure: Figure, score: Score) -> str:
    """`4.2 % (3.1 to 5.5)`, with the number of rows where it is of fewer than were asked."""
    if score.n < score.n_asked:
        return figure.told(score)
    between = "" if score.low is None else f" ({figure.bounds(score.low, score.high)})"
    return f"{figure.written(score.value)}{between}"


def written_beside(figure: Figure, blind: Mapping[str, Score]) -> str:
    """`echo yes 4.2 % (3.1 to 5.5), majority 50.1 % (46.0 to 54.2)`; empty where there is none."""
    return ", ".join(f"{named(name)} {written(figure, blind[name])}" for name in sorted(blind, key=order))
