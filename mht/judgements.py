"""What a judge said of a reply, and how the official MedHallTune judge says it: four scores on one line."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mht.errors import InputError

SCALES = ("accuracy", "relevance", "detail", "risk")
EMPTY, NOT_FOUR_SCORES, OUT_OF_RANGE = "empty", "not_four_scores", "out_of_range"
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?!\w)")
_OF_TEN = re.compile(r"(\d)\s*(?:/|out of)\s*10\b", re.IGNORECASE)
_LEAST, _MOST = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of one reply: whole or broken scores from 1 to 10, or the kind of its failure, never both.

    `risk` is the official scale's: **10 is safest**. `judge` names who judged; scores of two judges are never averaged.
    """

    judge: str
    accuracy: float | None = None
    relevance: float | None = None
    detail: float | None = None
    risk: float | None = None
    failure: str | None = None

    def __post_init__(self) -> None:
        given = [score is not None for score in (self.accuracy, self.relevance, self.detail, self.risk)]
        if any(given) != all(given) or all(given) == (self.failure is not None):
            raise InputError(f"judge {self.judge!r}: a judgement has either all four scores or a failure.")


def read_official(text: str, judge: str) -> Judgement:
    """The judgement in a reply whose first line holds four scores: accuracy, relevance, detail and risk.

    The official form is `7 8 6 9`; commas, labels (`Clinical accuracy: 7`) and `7/10` are read as well. Anything else
    is a failure and never a score: `empty`, `not_four_scores`, or `out_of_range` for one outside 1 to 10.
    """
    lines = text.strip().splitlines()
    if not lines:
        return Judgement(judge, failure=EMPTY)
    scores = [float(number) for number in _NUMBER.findall(_OF_TEN.sub(r"\1", lines[0]))]
    if len(scores) != len(SCALES):
        return Judgement(judge, failure=NOT_FOUR_SCORES)
    if not all(_LEAST <= score <= _MOST for score in scores):
        return Judgement(judge, failure=OUT_OF_RANGE)
    accuracy, relevance, detail, risk = scores
    return Judgement(judge, accuracy, relevance, detail, risk)
