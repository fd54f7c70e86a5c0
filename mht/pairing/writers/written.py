"""A model words what is planned: one question for both twins, which differ in nothing but the premise put into it.

The model never decides what is asked, what is false or how grave it is. It writes around a mark; the two readings of
the premise are put there afterwards, so no question can tell its state, whatever the model knows. Right and wrong
answers to both come from the same reply, in one voice, so that a preference between them is not one of style.
"""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel, ConfigDict, Field

from mht.generation import Reply, Request, refusal
from mht.knowledge.claims import mentioned
from mht.knowledge.lexicon import lexicon
from mht.knowledge.presence import ABSENT, PRESENT
from mht.pairing.phrases import describe
from mht.pairing.twins import row_hash
from mht.prompts import fence, prompt
from mht.records import Pair, Reading, Reason, Refusal, Wording
from mht.replies import Unusable, parse

PROMPT = "write"
MARK = "[PREMISE]"
_FORMS = {
    "yes_no": "a question that is answered by yes or no: whether the image shows the phrase",
    "leading_premise": "a question or a request that takes the phrase for granted and asks to say more of it",
    "which": "a question that takes the phrase for granted and asks for one thing of it, the same as the example asks",
    "correct_statement": "a statement that the image shows the phrase, and the request to correct it if it is wrong",
    "describe": "a request to describe the image, beginning with the phrase",
}
_POLAR = (
    'It is a yes/no question: "true_answer" and "false_wrong" begin with "Yes, ", "true_wrong" and "false_answer" with '
    '"No, ".'
)
_ANSWERS = ("true_answer", "true_wrong", "false_answer", "false_wrong")
_SCHEMA = {
    "type": "object",
    "properties": {
        "question": {"type": "string", "minLength": 12, "maxLength": 300},
        **{name: {"type": "string", "minLength": 4, "maxLength": 480} for name in _ANSWERS},
    },
    "required": ["question", *_ANSWERS],
    "additionalProperties": False,
}


class Params(BaseModel):
    """`engine` is one of `engines.*`. Other forms than `forms` keep their templates, as a choice does."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    engine: str = Field(min_length=1)
    forms: tuple[str, ...] = Field(default=tuple(_FORMS), min_length=1)
    max_tokens: int = Field(default=512, ge=32, le=8192)
    temperature: float = Field(default=0.7, ge=0, le=2)
    top_p: float = Field(default=0.95, gt=0, le=1)


def asked(twins: tuple[Pair, Pair], params: Params) -> bool:
    """Whether a model words these twins."""
    return twins[0].form in params.forms and twins[0].form in _FORMS


def ask(twins: tuple[Pair, Pair], reading: Reading, params: Params, seed: int) -> Request:
    """The request for both twins, the faithful one first."""
    true, false = twins
    words = prompt(PROMPT)
    data = {
        "facts": [_plain(reading, i) for i in range(len(reading.facts))],
        "premise": {"true": true.premise, "false": false.premise},
        "form": _FORMS[true.form],
        "example": true.question.replace(true.premise, MARK, 1),
    }
    polar = _POLAR if true.polarity is not None else ""
    return Request(
        request_id=true.twin_id,
        prompt=words.fill("user", polar=polar, data=fence(data, true.twin_id)),
        system=words.parts["system"],
        schema=_SCHEMA,
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        seed=seed,
    )


def _plain(reading: Reading, index: int) -> str:
    fact = reading.facts[index]
    name = describe(fact) if fact.finding in lexicon().findings else fact.finding
    if fact.presence == PRESENT:
        return name
    return f"no {fact.finding}" if fact.presence == ABSENT else f"possible, not certain: {name}"


def read(request: Request, reply: Reply, twins: tuple[Pair, Pair]) -> Wording | Refusal:
    """The wording in the reply; `reply_unfit` for one that would spoil the twins, whatever its text."""
    if reply.text is None:
        return refusal(reply)
    parsed = parse(reply.text, _SCHEMA)
    if isinstance(parsed, Unusable):
        return refusal(parsed)
    parsed = {name: " ".join(text.split()) for name, text in parsed.items()}
    fault = _fault(parsed["question"], [parsed[name] for name in _ANSWERS], twins)
    if fault is not None:
        return Refusal(Reason.REPLY_UNFIT, fault)
    return Wording(twin_id=twins[0].twin_id, **parsed)


def _fault(question: str, answers: list[str], twins: tuple[Pair, Pair]) -> str | None:
    """What is wrong with a wording, in words for the quarantine."""
    head, *tails = question.split(MARK)
    if len(tails) != 1:
        return f"the question holds the mark {len(tails)} times, not once"
    if not head.strip():
        return "the question begins with the mark"
    if MARK in "".join(answers):
        return "an answer holds the mark"
    if mentioned(head + tails[0]):
        return "the question names a finding beside the premise"
    if twins[0].polarity is not None:
        due = ("yes", "no", "no", "yes")
        if [answer.split()[0].strip(",.").casefold() for answer in answers] != list(due):
            return "an answer to a yes/no question does not begin with the yes or no that is due"
    if len({answer.casefold() for answer in answers}) < len(answers):
        return "two of the answers are the same"
    return None


def apply(wording: Wording, twins: tuple[Pair, Pair]) -> tuple[Pair, Pair]:
    """The twins in this wording; ids, spans' texts, evidence and risk stay."""
    true, false = twins
    answers = ((wording.true_answer, wording.true_wrong), (wording.false_answer, wording.false_wrong))
    done = [
        _worded(pair, wording.question, *texts) for pair, texts in zip((true, false), answers, strict=True)
    ]
    return done[0], done[1]


def _worded(pair: Pair, question: str, answer: str, rejected: str) -> Pair:
    head, tail = question.split(MARK)
    start = len(head) + _offset(pair)
    changed = replace(
        pair,
        question=head + pair.premise + tail,
        answer=answer,
        rejected=rejected,
        span_start=start,
        span_end=start + len(pair.span),
    )
    return replace(changed, row_hash=row_hash(changed))


def _offset(pair: Pair) -> int:
    """Where the span begins in the premise: the place that fits the question it was cut for."""
    for offset in range(len(pair.premise) - len(pair.span) + 1):
        begin = pair.span_start - offset
        fits = begin >= 0 and pair.question[begin : begin + len(pair.premise)] == pair.premise
        if fits and pair.premise[offset : offset + len(pair.span)] == pair.span:
            return offset
    raise ValueError(f"pair {pair.pair_id}: its span does not lie in its premise")
