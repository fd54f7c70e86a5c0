"""What a judge is given and what it gives back."""

from __future__ import annotations

from dataclasses import dataclass

SCALES = ("accuracy", "relevance", "detail", "risk")
"""Clinical accuracy, clinical relevance, level of detail, and risk, of which 10 is the safest; each from 1 to 10."""
LOWEST, HIGHEST = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Asked:
    """A reply to be judged: the question, the reference answer, what a model said, the caption where there is one."""

    row_id: str
    question: str
    truth: str
    reply: str
    caption: str | None = None


@dataclass(frozen=True, slots=True)
class Scores:
    """1 to 10 on each of SCALES, in their order. Raises ValueError for anything else."""

    accuracy: float
    relevance: float
    detail: float
    risk: float

    def __post_init__(self) -> None:
        for name in SCALES:
            value = getattr(self, name)
            if not LOWEST <= value <= HIGHEST:
                raise ValueError(f"{name} is {value}, not between {LOWEST:g} and {HIGHEST:g}")

    def values(self) -> tuple[float, float, float, float]:
        """The four, in the order of SCALES."""
        return self.accuracy, self.relevance, self.detail, self.risk


@dataclass(frozen=True, slots=True)
class Judgement:
    """Four scores, or the kind of error for which there are none; a failure of the judge is never a score."""

    row_id: str
    scores: Scores | None
    error: str | None = None

    def __post_init__(self) -> None:
        if (self.scores is None) == (self.error is None):
            raise ValueError(f"row {self.row_id!r}: a judgement has either scores or the kind of an error")
