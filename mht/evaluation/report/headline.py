"""The sentence at the top of a benchmark, and why there is none where requests failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mht.evaluation.metrics.judged import OF_JUDGE
from mht.evaluation.report.figures import Figure, Unit, about, of
from mht.evaluation.report.text import one_line
from mht.evaluation.run import headline, unanswered
from mht.predictions import Score, Unscored

_SENTENCES = {
    "false_premise": "Accepts {} of false premises",
    "over_rejection": "Rejects {} of true premises",
    "polarity": "Says yes or no as the reference does in {} of the questions",
    "polarity.of_all": "Does so in {} of all of them, a reply that says neither counted as wrong",
    "choice": "Picks the right option in {} of the questions",
    "choice.of_all": "Does so in {} of all of them, a reply that picks none or several counted as wrong",
    "vqa": "Gives the reference's very words in {} of the questions",
    "judged.accuracy": "Judged {} of 10 for clinical accuracy",
}
_LEAST = 0.5
"""Of fewer of the rows that were asked a share is no headline: the others could make anything of it."""
# The first of these that has rows; the two of the premise stand together, since one alone can be had for nothing.
_CHOICES = (("false_premise", "over_rejection"), ("choice",), ("polarity",), ("vqa",), ("judged.accuracy",))
_OF_ALL = {"polarity": "polarity.of_all", "choice": "choice.of_all"}
_FEW = 0.02
"""Where more replies than this share are undecided, the figure of all of them stands beside."""


@dataclass(frozen=True, slots=True)
class Headline:
    """One sentence. `value` is None where it is refused; `failed` counts requests without a reply.

    `least` and `most` bound a share whatever the rows without a score would have said; None for what is no share.
    """

    about: Figure
    score: Score
    value: float | None
    failed: int
    least: float | None
    most: float | None

    @property
    def parts(self) -> tuple[str, str, str, str]:
        """(words, the number, words, interval and n of n in brackets); words alone where it is refused."""
        if self.value is None:
            return f"No headline for “{self.about.title.lower()}”: {self._why()}", "", "", ""
        before, _, after = self._sentence().partition("{}")
        between = "" if self.score.low is None else f"{self.about.bounds(self.score.low, self.score.high)}; "
        rows = f"{between}{of(self.score.n, self.score.n_asked)} rows"
        if self.score.n < self.score.n_asked and self.least is not None:
            rows += f"; {self.about.bounds(self.least, self.most)} whatever the others say"
        return before, self.about.written(self.value), after, f" ({rows})"

    @property
    def text(self) -> str:
        return "".join(self.parts)

    def _sentence(self) -> str:
        name, _, judge = self.score.name.partition(OF_JUDGE)
        said = _SENTENCES.get(name, f"{self.about.title}: {{}}")
        return f"{said} by {one_line(judge, 60)}" if judge else said

    def _why(self) -> str:
        if not self.score.n and not self.failed:
            return f"none of {self.score.n_asked:,} replies can be read as either."
        text = f"{of(self.failed, self.score.n_asked)} requests failed."
        if not self.failed:
            text = f"no more than {of(self.score.n, self.score.n_asked)} replies can be read as either."
        if self.least is None:
            return text
        low, high = self.about.written(self.least), self.about.written(self.most)
        missing = self.score.n_asked - self.score.n
        rows = "one row without a score says" if missing == 1 else f"{missing:,} rows without a score say"
        return f"{text} Whatever the {rows}, it lies from {low} to {high}."


def headlines(scores: Sequence[Score], partial: bool) -> tuple[Headline, ...]:
    """The sentences of a benchmark; none where nothing was asked."""
    asked = {score.name: score for score in scores if score.n_asked}
    for names in _CHOICES:
        found = [asked[name] for name in names if name in asked]
        if found:
            found += [asked[_OF_ALL[one.name]] for one in found if _is_dodged(one, asked)]
            return tuple(_headline(score, partial) for score in found)
    several = [score for name, score in asked.items() if name.startswith(f"{_CHOICES[-1][0]}{OF_JUDGE}")]
    if several:
        return tuple(_headline(score, partial) for score in several)
    return tuple(_headline(score, partial) for score in list(asked.values())[:1])


def _is_dodged(score: Score, asked: Mapping[str, Score]) -> bool:
    undecided = dict(score.unscored).get(Unscored.UNDECIDED, 0)
    return _OF_ALL.get(score.name, "") in asked and undecided > _FEW * score.n_asked


def _headline(score: Score, partial: bool) -> Headline:
    told = about(score.name)
    least = most = None
    if told.unit is Unit.SHARE and score.value is not None:
        counted, missing = score.value * score.n, score.n_asked - score.n
        least, most = counted / score.n_asked, (counted + missing) / score.n_asked
    value = headline(score, partial)
    if least is not None and not partial and score.n < _LEAST * score.n_asked:
        value = None
    return Headline(told, score, value, unanswered(score), least, most)
