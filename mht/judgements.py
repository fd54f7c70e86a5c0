"""What a judge is given, what it says of a reply, and how the official MedHallTune judge says it, on one line."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mht.errors import InputError
from mht.seeds import digest

SCALES = ("accuracy", "relevance", "detail", "risk")
"""Clinical accuracy, clinical relevance, level of detail, and risk, of which 10 is the safest; each from 1 to 10."""
LOWEST, HIGHEST = 1.0, 10.0
EMPTY, NOT_FOUR_SCORES, OUT_OF_RANGE = "empty", "not_four_scores", "out_of_range"
NO_REPLY, NO_TRUTH = "no_reply", "no_truth"
"""Why nobody was asked: the model gave no reply, or there is no reference to hold one against."""
NOT_RATED = "not_rated"
"""People score as many replies as they have time for: no failure of anybody's."""
_NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")
_MINUS = "\N{MINUS SIGN}"
_OF_TEN = re.compile(r"(\d)\s*(?:/|out of)\s*10\b", re.IGNORECASE)
PEOPLE = "people"
"""In the place of a judge's kind."""
Scores = tuple[float, float, float, float]
"""In the order of SCALES."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply to be judged: the question, the reference answer, what a model said, the caption where there is one."""

    row_id: str
    question: str
    truth: str
    reply: str
    caption: str | None = None

    @property
    def digest(self) -> str:
        """16 hex digits over everything that is judged."""
        return digest(self.question, self.truth, self.reply, self.caption is None, self.caption, size=8).hex()


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of one reply: whole or broken scores from 1 to 10, or the kind of its failure, never both.

    `risk` is the official scale's: **10 is safest**. `judge` names who judged; scores of two judges are never averaged.
    `why` is the judge's reason in its own words, or the particulars of the failure. Of a judge that was asked several
    times the scores are means over `samples` usable replies, and `spread` is their standard deviation, in points.
    Raises InputError for what is none.
    """

    judge: str
    accuracy: float | None = None
    relevance: float | None = None
    detail: float | None = None
    risk: float | None = None
    failure: str | None = None
    why: str = ""
    samples: int = 1
    spread: Scores | None = None

    def __post_init__(self) -> None:
        given = [score is not None for score in (self.accuracy, self.relevance, self.detail, self.risk)]
        if any(given) != all(given) or all(given) == (self.failure is not None):
            raise InputError(f"judge {self.judge!r}: a judgement has either all four scores or a failure.")
        for name, score in zip(SCALES, self.scores or (), strict=False):
            if not LOWEST <= score <= HIGHEST:
                raise InputError(f"judge {self.judge!r}: {name} is {score:g}, it lies from 1 to 10.")

    @property
    def scores(self) -> Scores | None:
        """The four, in the order of SCALES; None where it failed."""
        if self.accuracy is None or self.relevance is None or self.detail is None or self.risk is None:
            return None
        return self.accuracy, self.relevance, self.detail, self.risk

    def by(self, judge: str) -> Judgement:
        """The same under another name."""
        return replace(self, judge=judge)


def write_official(given: Judgement) -> str | None:
    """A judgement as the official judge's reply, `7 8 6 9` and the reason below; None for one that failed.

    Broken scores are rounded to whole points, halves up: the official line has no others.
    """
    if given.scores is None:
        return None
    line = " ".join(str(int(score + 0.5)) for score in given.scores)
    return f"{line}\n\n{given.why}" if given.why else line


def read_official(text: str, judge: str) -> Judgement:
    """The judgement in a reply whose first line holds four scores: accuracy, relevance, detail and risk.

    The official form is `7 8 6 9`; commas, labels (`Clinical accuracy: 7`) and `7/10` are read as well. Anything else
    is a failure and never a score: `empty`, `not_four_scores`, or `out_of_range` for one outside 1 to 10.
    """
    lines = text.strip().splitlines()
    if not lines:
        return Judgement(judge, failure=EMPTY)
    line = _OF_TEN.sub(r"\1", lines[0]).replace(_MINUS, "-")
    scores = [float(number) for number in _NUMBER.findall(line)]
    if len(scores) != len(SCALES):
        return Judgement(judge, failure=NOT_FOUR_SCORES)
    if not all(LOWEST <= score <= HIGHEST for score in scores):
        return Judgement(judge, failure=OUT_OF_RANGE)
    accuracy, relevance, detail, risk = scores
    return Judgement(judge, accuracy, relevance, detail, risk)
