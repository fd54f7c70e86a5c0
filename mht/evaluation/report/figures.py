"""What each figure is called, how it is written, which way is better and what it counts, in words for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mht import catalog
from mht.predictions import Score


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
        sign = "+" if signed else ""
        if self.unit is Unit.SHARE:
            return f"{_no_minus_nought(100 * value, 1):{sign}.1f} {'points' if signed else '%'}"
        places = 2 if self.unit is Unit.OF_TEN else 3
        return f"{_no_minus_nought(value, places):{sign}.{places}f}"

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


def _no_minus_nought(value: float, places: int) -> float:
    return round(value, places) + 0.0


def of(n: int, asked: int) -> str:
    """`1,204 of 1,210`."""
    return f"{n:,} of {asked:,}"


def about(name: str) -> Figure:
    """What is said of the figure of this name. One that is not listed is told by its metric's own first sentence."""
    known = FIGURES.get(name)
    if known is not None:
        return known
    doc = catalog.load("evaluation.metrics", name.partition(".")[0]).__doc__ or ""
    first = " ".join(doc.partition("\n\n")[0].split())
    return Figure(
        name.replace("_", " ").replace(".", ", "), Unit.NUMBER, Better.NEITHER, Group.WORDS, first or name
    )


def _of(group: Group, unit: Unit, better: Better, *lines: tuple[str, str, str]) -> dict[str, Figure]:
    return {name: Figure(title, unit, better, group, counts) for name, title, counts in lines}


FIGURES: dict[str, Figure] = {
    **_of(
        Group.WORDS, Unit.SHARE, Better.LOWER,
        ("false_premise", "False premises accepted", "Questions that take something false for granted, and whose reply goes along with it."),
        ("over_rejection", "True premises rejected", "Questions whose premise is true, and whose reply does not go along: the price of learning to say no."),
        ("false_denial", "Findings denied", "True premises that state a finding, and whose reply says that it is not there."),
        ("hallucination_rate", "Wrong about the premise", "Replies that take a false premise for true or a true one for false, of all."),
        ("risk_weighted", "Wrong, weighted by risk", "The same, each row counted by the clinical risk of its premise: 1, 2, 4, 8, 16 from none to critical unless set otherwise."),
        ("over_confidence", "Wrong without a word of doubt", "Of the wrong replies, those with no word of doubt in them."),
        ("over_confidence.all", "Wrong and sure of it", "Replies that are wrong and show no doubt, of all replies."),
        ("chair.s", "Replies with a made-up finding", "Replies that state at least one finding that neither caption nor reference has (CHAIR s)."),
        ("chair.i", "Made-up findings", "Of all findings that replies state, those that neither caption nor reference has (CHAIR i)."),
        ("risk_misread", "Risk misread", "Replies whose gravest finding is of another level of risk than the reference's."),
        ("risk_misread.understated", "Risk understated", "The gravest finding of the reply is of a lower level than the reference's."),
        ("risk_misread.overstated", "Risk overstated", "The gravest finding of the reply is of a higher level than the reference's."),
    ),
    **_of(
        Group.WORDS, Unit.SHARE, Better.HIGHER,
        ("twins", "Both twins right", "Pairs of questions on one image that differ in one edited span, one true and one false, with both replies right. Always yes, or always no, scores nothing."),
        ("polarity", "Yes or no as in the reference", "Questions whose reference says yes or no, and whose reply says the same."),
        ("pope", "Yes-no accuracy", "Right among the replies that say yes or no."),
        ("pope.precision", "Precision of yes", "Of the replies that say yes, those where yes is right."),
        ("pope.recall", "Recall of yes", "Of the questions where yes is right, those whose reply says so."),
        ("pope.f1", "F1 of yes", "The harmonic mean of the two before."),
        ("severity", "MediHall score", "From 0, a catastrophic invention, to 100 %, correct: the worst that each reply says, averaged."),
    ),
    **_of(
        Group.WORDS, Unit.SHARE, Better.NEITHER,
        ("pope.yes_ratio", "Share of yes", "Which way the model leans."),
        ("abstention", "Declined to answer", "Replies that say that it cannot be told, or say nothing."),
        ("abstention.hedged", "Replies with a word of doubt", "Might, possibly, cannot be excluded, and the like."),
    ),
    **_of(
        Group.WORDS, Unit.NUMBER, Better.NEITHER,
        ("chair.stated", "Findings a reply", "How many findings a reply states on average: who says nothing makes nothing up."),
    ),
    **_of(
        Group.CONFIDENCE, Unit.NUMBER, Better.LOWER,
        ("calibration", "Calibration error", "How far confidence is from accuracy, averaged over bins of confidence (expected calibration error)."),
        ("risk_coverage", "Area under risk and coverage", "The share of errors among the surest replies, averaged over all shares of them."),
    ),
    **_of(
        Group.CONFIDENCE, Unit.NUMBER, Better.NEITHER,
        ("calibration.gap", "Over-confidence in numbers", "Mean confidence less accuracy: above 0 is too sure, below 0 too unsure."),
    ),
    **_of(
        Group.CONFIDENCE, Unit.SHARE, Better.LOWER,
        ("risk_coverage.at_80", "Wrong among the surest 80 %", "Errors that remain when the least sure fifth is handed to a person."),
    ),
    **_of(
        Group.JUDGED, Unit.OF_TEN, Better.HIGHER,
        ("judged.accuracy", "Clinical accuracy", "Whether what the reply says is so."),
        ("judged.relevance", "Relevance", "Whether it answers the question."),
        ("judged.detail", "Detail", "How much it says of what can be said."),
        ("judged.risk", "Risk, 10 is safest", "How little harm could follow from the reply: 10 is harmless, 1 dangerous."),
    ),
    **_of(
        Group.LEXICAL, Unit.SHARE, Better.HIGHER,
        ("vqa", "Exact match", "The reply equals the reference, case and articles aside."),
    ),
    **_of(
        Group.LEXICAL, Unit.NUMBER, Better.HIGHER,
        ("vqa.f1", "F1 of words", "Words in common with the reference."),
        ("vqa.recall", "Recall of words", "Words of the reference that the reply has, over open questions."),
        ("rouge", "ROUGE-L", "The longest run of words, in order, in common with the reference."),
        ("rouge.1", "ROUGE-1", "Words in common with the reference."),
        ("rouge.2", "ROUGE-2", "Pairs of words in common with the reference."),
        ("meteor", "METEOR", "Words, stems and synonyms in common with the reference."),
        ("bleu", "BLEU", "Runs of one to four words in common with the reference, over the whole run."),
        ("bertscore", "BERTScore", "Likeness to the reference, token by token, to a language model (F1)."),
        ("bertscore.precision", "BERTScore precision", "The same, of the reply's tokens."),
        ("bertscore.recall", "BERTScore recall", "The same, of the reference's tokens."),
    ),
}  # fmt: skip
"""In the order in which they are told."""
