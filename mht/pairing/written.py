"""A case in words: the question in two readings that differ in one span, and the answer to each."""

from __future__ import annotations

from dataclasses import dataclass

from mht.pairing.phrases import Phrase


@dataclass(frozen=True, slots=True)
class Written:
    """`head` and `tail` stand around the span; `polar` says whether the answers are yes and no."""

    head: str
    true: str
    false: str
    tail: str
    true_answer: str
    false_answer: str
    polar: bool


def written(template: str, np: Phrase, image: str, answers: tuple[str, str], polar: bool) -> Written:
    """The template's `{np}` filled in with the cut phrase, its `{image}` with the image's name."""
    head, tail = template.replace("{image}", image).split("{np}")
    true_answer, false_answer = answers
    return Written(head + np.before, np.true, np.false, np.after + tail, true_answer, false_answer, polar)
