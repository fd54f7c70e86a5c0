"""Questions as requests to a model, and what became of them as rows: pure, whatever engine answers."""

from __future__ import annotations

from mht.config_evaluate import GenerationConfig
from mht.evaluation.tables import Kept, kept
from mht.generation import Failure, Reply, Request
from mht.knowledge.polarity import NO, YES
from mht.questions import LETTERS, Picture, Question, answered
from mht.records import Refusal
from mht.seeds import row_seed


def request_of(question: Question, image: bytes | None, how: GenerationConfig, seed: int) -> Request:
    """The question as its benchmark words it, one turn, the image before it."""
    return Request(
        request_id=f"{question.benchmark}/{question.row_id}",
        prompt=question.question,
        system=how.system,
        image=image,
        max_tokens=how.max_tokens,
        cut_ok=how.keep_cut,
        temperature=how.temperature,
        top_p=how.top_p,
        seed=row_seed(seed, f"evaluate {question.benchmark}", question.row_id),
    )


def is_weighed(question: Question) -> bool:
    """Whether yes and no are compared: the truth is one of them."""
    return question.polarity in (YES, NO)


def weighed_answers(question: Question, how: GenerationConfig) -> tuple[str, ...] | None:
    """The answers whose likelihoods are compared: yes and no, or the letters of a choice; None where there are none."""
    if is_weighed(question):
        return how.yes, how.no
    count = len(question.options or ())
    return tuple(LETTERS[:count]) if 1 < count <= len(LETTERS) else None


def refused(question: Question, picture: Picture, image: str | None) -> Kept | None:
    """The row of a question whose image cannot be read; None where it can be asked. `image` as of `row_of`."""
    if not isinstance(picture, Refusal):
        return None
    return Kept(answered(question, None, str(picture.reason)), picture.detail, image=image)


def row_of(question: Question, reply: Reply, image: str | None) -> Kept:
    """The question's row; `image` says which one was shown, by a digest of its file.

    To say nothing is a reply, an empty one, and no failure: a model must not gain by it.
    """
    shares = reply.shares or None
    yes = shares[0] if shares is not None and is_weighed(question) else None
    likely = (yes, shares if yes is None else None)
    if reply.failure is Failure.EMPTY_REPLY:
        return kept(answered(question, "", None, *likely), reply, image)
    failure = None if reply.failure is None else reply.failure.value
    return kept(answered(question, reply.text, failure, *likely), reply, image)
