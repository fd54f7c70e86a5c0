"""What each figure is called, how it is written, which way is better and what it counts, in words for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from mht import catalog
from mht.evaluation.metrics.judged import OF_JUDGE
from mht.predictions import Score

PREMISES = {"faithful": "True premises", "hallucinated": "False premises"}
"""What rows of each state are called."""


class Unit(StrEnum):
    """How a value is written: of 0.042, `4.2 %` or `0.042`; of 7.4, `7.40` of ten."""

    SHARE = "share"
    NUMBER = "number"
    OF_TEN = "of_ten"


class Better(StrEnum):
    """Which way a figure improves."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Group(StrEnum):
    """How far a figure can be trusted, and what it needs; the order in which a report tells them."""

    WORDS = "words"
    CONFIDENCE = "confidence"
    JUDGED = "judged"
    LEXICAL = "lexical"


@dataclass(frozen=True, slots=True)
class Figure:
    """What is said of a figure beside its value; `counts` is one sentence."""

    title: str
    unit: Unit
    better: Better
    group: Group
    counts: str

    def written(self, value: float | None, signed: bool = False) -> str:
        """A value in its unit; a dash where there is none. A difference of shares is written in points."""
        if value is None:
            return "–"
        if self.unit is Unit.SHARE:
            return f"{_number(100 * value, 1, signed)} {'points' if signed else '%'}"
        return _number(value, 2 if self.unit is Unit.OF_TEN else 3, signed)

    def bounds(self, low: float | None, high: float | None, signed: bool = False) -> str:
        """`3.1 to 5.5`: an interval without its unit; a dash where there is none."""
        if low is None or high is None:
            return "–"
        ends = (self.written(end, signed).split(" ")[0] for end in (low, high))
        return " to ".join(ends)

    def told(self, score: Score) -> str:
        """`4.2 % (3.1 to 5.5; 412 of 412 rows)`."""
        between = "" if score.low is None else f"{self.bounds(score.low, score.high)}; "
        return f"{self.written(score.value)} ({between}{of(score.n, score.n_asked)} rows)"


def _number(value: float, places: int, signed: bool) -> str:
    """With a true minus sign; nought has no sign."""
    shown = f"{value:{'+' if signed else ''}.{places}f}".replace("-", "−")
    return shown.lstrip("+−") if float(f"{value:.{places}f}") == 0 else shown


def of(n: int, asked: int) -> str:
    """`1,204 of 1,210`."""
    return f"{n:,} of {asked:,}"


@cache
def listed() -> dict[str, Figure]:
    """figures.tsv, in the order in which figures are told."""
    text = files(__package__).joinpath("figures.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines()[1:])
    return {
        name: Figure(title, Unit(unit), Better(better), Group(group), counts)
        for name, title, unit, better, group, counts in rows
    }


def about(name: str) -> Figure:
    """What is said of the figure of this name, whichever judge's. One that is not listed is told by its metric's own
    first sentence.
    """
    known = listed().get(name.partition(OF_JUDGE)[0])
    if known is not None:
        return known
    doc = catalog.load("evaluation.metrics", name.partition(".")[0]).__doc__ or ""
    first = " ".join(doc.partition("\n\n")[0].split())
    title = name.replace("_", " ").replace(".", ", ")
    return Figure(title, Unit.NUMBER, Better.NEITHER, Group.WORDS, first or name)
