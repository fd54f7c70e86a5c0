"""Blind baselines: replies that nobody needs an image for. A figure that they reach as well says nothing of a model.

The cheap ones are written here: `echo_yes` (`Yes, ` and the question), `echo_no`, `majority`, of each kind of question
the answer that is right most often, and `caption`, what is known of the image in place of an answer. `question_only` is
the model itself without the image (see `answering`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from functools import partial

from mht.config_evaluate import BaselinesConfig
from mht.evaluation.tables import Kept
from mht.knowledge.polarity import NO, YES
from mht.predictions import Prediction
from mht.questions import LETTERS, Question, answered

NO_CAPTION, NO_MAJORITY = "no_caption", "no_majority"
"""The failures of a row of `caption` whose image nothing is known of, and of one whose kind has no answer twice."""


def echo_yes(question: Question, suffix: str = "") -> Prediction:
    """The premise taken for true, whatever it is. `suffix` is what the benchmark puts behind its questions."""
    return answered(question, f"Yes, {_bare(question, suffix)}", None)


def echo_no(question: Question, suffix: str = "") -> Prediction:
    """The premise denied, whatever it is."""
    return answered(question, f"No, {_bare(question, suffix)}", None)


def _bare(question: Question, suffix: str) -> str:
    """Without the suffix: to repeat `answer with yes or no` would say both."""
    return question.question.removesuffix(suffix).rstrip()


def caption(question: Question) -> Prediction:
    """What is known of the image, not looking at the question."""
    if question.caption is None:
        return answered(question, None, NO_CAPTION)
    return answered(question, question.caption, None)


def majority(questions: Sequence[Question]) -> list[Prediction]:
    """The answer that is right most often among the questions of the same kind; of two the first in the alphabet.

    Of choices with as many options it is a letter, of yes-no questions a word, of others a reference answer. It is
    looked up in the very answers that it is held against: no constant answer does better.
    """
    due: dict[Hashable, Counter[str]] = {}
    for question in questions:
        kind, answer = _due(question)
        due.setdefault(kind, Counter())[answer] += 1
    best = {kind: min(found.items(), key=lambda one: (-one[1], one[0])) for kind, found in due.items()}
    return [_of_majority(question, *best[_due(question)[0]]) for question in questions]


def _of_majority(question: Question, answer: str, count: int) -> Prediction:
    if count < 2:
        return answered(question, None, NO_MAJORITY)
    return answered(question, answer, None)


def _due(question: Question) -> tuple[Hashable, str]:
    """(the kind of question, its answer)"""
    options = question.options or ()
    right = [at for at, option in enumerate(options) if option.casefold() == question.truth.casefold()]
    if right and right[0] < len(LETTERS):
        return len(options), LETTERS[right[0]]
    if question.polarity in (YES, NO):
        return YES, str(question.polarity).capitalize()
    return question.kind, question.truth.strip().lower()


def cheap(config: BaselinesConfig, questions: Sequence[Question], suffix: str = "") -> dict[str, list[Kept]]:
    """The baselines that ask nobody, by name; `caption` only where at least one image has one."""
    chosen: dict[str, Callable[[Question], Prediction]] = {}
    if config.echo:
        chosen |= {"echo_yes": partial(echo_yes, suffix=suffix), "echo_no": partial(echo_no, suffix=suffix)}
    if config.caption and any(question.caption is not None for question in questions):
        chosen["caption"] = caption
    found = {name: [make(question) for question in questions] for name, make in chosen.items()}
    often = majority(questions) if config.majority else []
    if any(row.reply is not None for row in often):
        found["majority"] = often
    return {name: [Kept(row) for row in rows] for name, rows in found.items()}
