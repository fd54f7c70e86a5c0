"""Blind baselines: replies that nobody needs an image for. A figure that they reach as well says nothing of a model.

The cheap ones are written here: `echo_yes` (`Yes, ` and the question), `echo_no`, and `caption`, what is known of the
image in place of an answer. The fourth, `question_only`, is the model itself without the image (see `answering`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mht.config_evaluate import BaselinesConfig
from mht.evaluation.tables import Kept
from mht.predictions import Prediction
from mht.questions import Question, answered

NO_CAPTION = "no_caption"
"""The failure of a row of `caption` whose image nothing is known of."""


def echo_yes(question: Question) -> Prediction:
    """The premise taken for true, whatever it is."""
    return answered(question, f"Yes, {question.question}", None)


def echo_no(question: Question) -> Prediction:
    """The premise denied, whatever it is."""
    return answered(question, f"No, {question.question}", None)


def caption(question: Question) -> Prediction:
    """What is known of the image, not looking at the question."""
    if question.caption is None:
        return answered(question, None, NO_CAPTION)
    return answered(question, question.caption, None)


def cheap(config: BaselinesConfig, questions: Sequence[Question]) -> dict[str, list[Kept]]:
    """The baselines that ask nobody, by name; `caption` only where at least one image has one."""
    chosen: dict[str, Callable[[Question], Prediction]] = {}
    if config.echo:
        chosen |= {"echo_yes": echo_yes, "echo_no": echo_no}
    if config.caption and any(question.caption is not None for question in questions):
        chosen["caption"] = caption
    return {name: [Kept(make(question)) for question in questions] for name, make in chosen.items()}
