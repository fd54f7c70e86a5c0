"""A case in words: the question in two readings that differ in one span, with a right and a wrong answer to each."""

from __future__ import annotations

from dataclasses import dataclass

from mht.pairing.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Answers:
    """`true` to the question with the true premise, `false` to the one with the false premise.

    `true_rejected` denies what is there, `false_rejected` takes the false premise for true.
    """

    true: str
    false: str
    true_rejected: str
    false_rejected: str


@dataclass(frozen=True, slots=True)
class Written:
    """`head` and `tail` stand around the span, `np` is the cut phrase; `polar`: the answers are yes and no."""

    np: Phrase
    head: str
    true: str
    false: str
    tail: str
    answers: Answers
    polar: bool


def written(template: str, np: Phrase, image: str, answers: Answers, polar: bool = False) -> Written:
    """The template's `{np}` filled in with the cut phrase, its `{image}` with the image's name."""
    named = template.replace("{image:C}", image[:1].upper() + image[1:]).replace("{image}", image)
    head, tail = named.split("{np}")
    return Written(np, head + np.before, np.true, np.false, np.after + tail, answers, polar)
