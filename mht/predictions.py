"""What a model replied to the questions of a benchmark, and what a metric makes of it.

Nothing is lost on the way: a request that failed is a row without a reply, a reply that cannot be told is a unit
without parts, and a figure says how many it was measured on, of how many that were asked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mht.errors import InputError
from mht.judgements import Judgement

Array = NDArray[np.float64]
Parts = tuple[float, ...]


_REASONING = r"(?:think|thinking)"
_REASONED = re.compile(rf"<{_REASONING}>.*?</{_REASONING}>", re.DOTALL | re.IGNORECASE)
_BEGUN_BEFORE = re.compile(rf"\A.*</{_REASONING}>", re.DOTALL | re.IGNORECASE)
_NOT_ENDED = re.compile(rf"<{_REASONING}>.*\Z", re.DOTALL | re.IGNORECASE)
_MARKED = re.compile(rf"</?{_REASONING}>|\A\s*<answer>", re.IGNORECASE)
_WRAPPED = re.compile(r"\A\s*<answer>(.*?)(?:</answer>\s*)?\Z", re.DOTALL | re.IGNORECASE)


def without_reasoning(reply: str) -> str:
    """What a reply answers: but for `<think>…</think>`, one that is cut or whose beginning the prompt held included.

    `<answer>` around the rest is taken off. A reply with neither is as it came; one of nothing but reasoning is empty.
    """
    if not _MARKED.search(reply):
        return reply
    ended = _REASONED.sub("", reply) if "</" in reply else reply
    rest = _NOT_ENDED.sub("", _BEGUN_BEFORE.sub("", ended))
    wrapped = _WRAPPED.match(rest)
    return (wrapped[1] if wrapped else rest).strip()


@dataclass(frozen=True, slots=True)
class Prediction:
    """One question of a benchmark with the reply that a model gave, or the kind of failure that left it without one.

    `image_id` is the image and `group` the patient, case or figure where that is known: rows of one group are not
    independent, and `cluster` is what an interval resamples. `truth` is the reference answer. The columns of our own
    pairs (see `records.Pair`) are None where a benchmark has none: `state`, `type`, `form`, `risk`, `site`, `premise`,
    `rejected` (a wrong answer), `twin_id`, and `polarity`, the yes or no of the truth. `caption` is what is known of
    the image, `modality` the kind of image. `likelihood_yes` is the probability that the model gave to yes, of yes and
    no, `likelihoods` those that it gave to the letters of a choice, of each other. `kind` is closed, open or choice,
    `options` the texts of a choice in the order of their letters; the right one is the truth (see
    `questions.Question`). `judgements` are what judges said of the reply, one a judge. `reply` is kept
    as it came; `answer` is what of it is read.
    """

    benchmark: str
    row_id: str
    image_id: str
    question: str
    truth: str
    reply: str | None
    failure: str | None = None
    group: str | None = None
    state: str | None = None
    type: str | None = None
    form: str | None = None
    risk: str | None = None
    modality: str | None = None
    site: str | None = None
    polarity: str | None = None
    premise: str | None = None
    rejected: str | None = None
    twin_id: str | None = None
    caption: str | None = None
    likelihood_yes: float | None = None
    likelihoods: tuple[float, ...] | None = None
    judgements: tuple[Judgement, ...] = ()
    kind: str | None = None
    options: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        if (self.reply is None) == (self.failure is None):
            raise InputError(
                f"row {self.row_id!r} of {self.benchmark!r}: it must have either a reply or a failure."
            )

    @property
    def answer(self) -> str:
        """The reply without the model's reasoning: what metrics and judges read. Empty where there is no reply."""
        return without_reasoning(self.reply or "")

    @property
    def cluster(self) -> str:
        """What is drawn as one in a bootstrap: the group where it is known, else the image."""
        return f"{self.benchmark}/{self.group if self.group is not None else self.image_id}"

    def judged_by(self, judge: str) -> Judgement | None:
        """What this judge said of the reply."""
        return next((given for given in self.judgements if given.judge == judge), None)


_OF_PAIR = (
    "image_id", "question", "state", "type", "form", "risk", "polarity", "premise", "rejected", "twin_id",
)  # fmt: skip


def of_pair(
    pair: Mapping[str, Any], reply: str | None, failure: str | None = None, **more: Any
) -> Prediction:
    """The row of one of our own pairs, as `reading.Dataset` reads it or by its columns; `more` are further columns."""
    taken = {name: pair[name] for name in _OF_PAIR}
    columns = {"benchmark": "pairs", "row_id": pair["pair_id"], "truth": pair["answer"]}
    return Prediction(**(columns | taken | more), reply=reply, failure=failure)


class Unscored(StrEnum):
    """Why a row that a metric asks about has no value; a failed reply is `failed_` with its kind."""

    UNDECIDED = "undecided"
    NOTHING_READ = "nothing_read"
    NO_LIKELIHOOD = "no_likelihood"
    LONE_TWIN = "lone_twin"


@dataclass(frozen=True, slots=True)
class Unit:
    """What a metric read from one row, or from one pair of twins.

    `parts` are the numbers that its figure is made of, all units of a metric alike; None where there are none, for the
    reason `unscored`. `key` names the row, or the twins, within the metric: two runs on the same rows have the same.
    """

    key: str
    cluster: str
    parts: Parts | None
    unscored: str | None = None


class Kind(StrEnum):
    """What a figure may be: from 0 to 1; any number; or one that is the higher the fewer rows it stands on."""

    SHARE = "share"
    NUMBER = "number"
    BIASED = "biased"


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of a metric with all that it was made of.

    `of(parts, weights)` is the figure of weighted units: parts (units, k) and weights (..., units) to values (...), NaN
    where it is undefined. `additive`: it depends on the weighted sums of the parts alone.
    """

    name: str
    units: tuple[Unit, ...]
    of: Callable[[Array, Array], Array]
    additive: bool = True
    kind: Kind = Kind.SHARE


@dataclass(frozen=True, slots=True)
class Score:
    """A figure: `value` on `n` units of `n_asked`; None where it is undefined, as on no units at all.

    `low` and `high` bound its interval, None where none was asked for. `unscored` counts what is missing, by reason.
    """

    name: str
    value: float | None
    n: int
    n_asked: int
    low: float | None = None
    high: float | None = None
    unscored: tuple[tuple[str, int], ...] = ()


def parts_of(units: Iterable[Unit]) -> Array:
    """The parts of the units that have some: (units, k), of shape (0, 0) where none has."""
    rows = [unit.parts for unit in units if unit.parts is not None]
    return np.array(rows, dtype=np.float64) if rows else np.zeros((0, 0))


def score(measured: Measured) -> Score:
    """The figure without an interval; see `evaluation.intervals` for one with it."""
    parts = parts_of(measured.units)
    value = figure(measured, parts, np.ones(len(parts)))
    missing = Counter(str(unit.unscored) for unit in measured.units if unit.parts is None)
    return Score(
        measured.name, value, len(parts), len(measured.units), unscored=tuple(sorted(missing.items()))
    )


def figure(measured: Measured, parts: Array, weights: Array) -> float | None:
    """One value, None where it is undefined."""
    if not len(parts):
        return None
    value = float(measured.of(parts, weights))
    return None if np.isnan(value) else value


def ratio(above: int, below: int) -> Callable[[Array, Array], Array]:
    """The figure that divides one summed part by another."""

    def of(parts: Array, weights: Array) -> Array:
        sums = weights @ parts
        return divided(sums[..., above], sums[..., below])

    return of


def divided(above: Array, below: Array) -> Array:
    """Element by element, NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.nan, above / below)


def per_row(
    rows: Sequence[Prediction],
    asks: Callable[[Prediction], bool],
    read: Callable[[Prediction], Parts | Unscored],
) -> tuple[Unit, ...]:
    """A unit for each row that is asked about; `read` sees only rows that have a reply."""
    return tuple(_unit(row, read) for row in rows if asks(row))


def _unit(row: Prediction, read: Callable[[Prediction], Parts | Unscored]) -> Unit:
    key = f"{row.benchmark}/{row.row_id}"
    if row.reply is None:
        return Unit(key, row.cluster, None, f"failed_{row.failure}")
    got = read(row)
    return Unit(key, row.cluster, None, got) if isinstance(got, Unscored) else Unit(key, row.cluster, got)


def share(
    name: str,
    rows: Sequence[Prediction],
    asks: Callable[[Prediction], bool],
    read: Callable[[Prediction], float | Unscored],
) -> Measured:
    """The mean of one number a row."""

    def parts(row: Prediction) -> Parts | Unscored:
        got = read(row)
        return got if isinstance(got, Unscored) else (float(got), 1.0)

    return Measured(name, per_row(rows, asks, parts), ratio(0, 1))
