"""Accuracy on multiple choice: of the replies that pick one option, the share that picks the right one.

A reply picks by a letter in any of the usual writings (`B`, `(b)`, `B. Femur`, `the answer is B`), or by an option's
own text (see `_options`); one that picks none or several is unscored in `choice` and wrong in `choice.of_all`, which is
the accuracy that is published. Of options with the same text each is right. `choice.picked` is the share of replies
that pick one. `choice.likelihood` is the accuracy of the letter that the model finds likeliest among the options'
letters, whatever it replies (as MMLU is scored, arXiv 2009.03300). `choice.chance` is what drawing an option would
score on the same rows: a figure stands beside it, and beside the baseline `majority`, the letter that is right most
often. Higher is better, but for chance. Source: PMC-VQA (arXiv 2305.10415) and HALT-MedVQA (arXiv 2401.05827); the
first takes the option that is most like the reply letter by letter, so that every reply has one: no such guess is made
here.
Failed replies are unscored; no row with options and a right one among them: no value, n = 0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydantic import BaseModel, ConfigDict

from mht.evaluation.metrics._options import picked
from mht.predictions import Measured, Prediction, Unscored, share


class Params(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def asks(row: Prediction) -> bool:
    return row.options is not None and len(row.options) > 1 and any(map(right(row), row.options))


def right(row: Prediction) -> Callable[[str], bool]:
    """Whether an option is the truth."""
    truth = row.truth.strip().casefold()
    return lambda option: option.strip().casefold() == truth


def score(row: Prediction) -> float | Unscored:
    """1 where the reply picks the right option, 0 where it picks another."""
    option = picked(row.answer, row.options or ())
    return Unscored.UNDECIDED if option is None else float(right(row)(option))


def of_all(row: Prediction) -> float:
    """The same, 0 where it picks none or several."""
    found = score(row)
    return 0.0 if isinstance(found, Unscored) else found


def picks(row: Prediction) -> float:
    return float(not isinstance(score(row), Unscored))


def chance(row: Prediction) -> float:
    """The share of the options that are right."""
    options = row.options or ()
    return sum(map(right(row), options)) / len(options)


def likeliest(row: Prediction) -> float | Unscored:
    """1 where the likeliest letter is right; of equally likely ones each counts its part."""
    if row.likelihoods is None or row.options is None:
        return Unscored.NO_LIKELIHOOD
    most, is_right = max(row.likelihoods), right(row)
    best = [option for option, of in zip(row.options, row.likelihoods, strict=True) if of == most]
    return sum(map(is_right, best)) / len(best)


def measure(rows: Sequence[Prediction], params: Params) -> tuple[Measured, ...]:
    return (
        share("choice", rows, asks, score),
        share("choice.of_all", rows, asks, of_all),
        share("choice.likelihood", rows, asks, likeliest),
        share("choice.picked", rows, asks, picks),
        share("choice.chance", rows, asks, chance),
    )
