"""Two steps, two calls that know nothing of each other: is the premise what its state says, does the answer follow?

The first is told the premise and not the state, the second the question and the answer and not what the first said.
Where either disagrees, the pair and its twin are left out, and what the model said is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.generation import Reply, Request, refusal
from mht.prompts import fence, prompt
from mht.records import Pair, Reason, State, Verdict
from mht.replies import Unusable, parse

PROMPTS = ("verify_premise", "verify_answer")
STEPS = ("premise", "answer")
_WORDS = {"premise": ("true", "false", "absent", "open"), "answer": ("follows", "contradicts", "unsupported")}
_AGREES = {
    ("premise", State.FAITHFUL): ("true",),
    ("premise", State.HALLUCINATED): ("false", "absent"),
    ("answer", State.FAITHFUL): ("follows",),
    ("answer", State.HALLUCINATED): ("follows",),
}


class Params(BaseModel):
    """`engine` is one of `engines.*`. `image`: whether the model is shown the image beside the caption."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    engine: str = Field(min_length=1)
    image: bool = False
    max_tokens: int = Field(default=160, ge=32, le=4096)


def sees_image(params: Params) -> bool:
    """Whether `ask` wants the image's bytes."""
    return params.image


def _schema(step: str) -> Mapping[str, Any]:
    return {
        "type": "object",
        "properties": {
            "reason": {"type": "string", "maxLength": 500},
            "verdict": {"type": "string", "enum": list(_WORDS[step])},
        },
        "required": ["reason", "verdict"],
        "additionalProperties": False,
    }


def ask(pair: Pair, caption: str, image: bytes | None, params: Params, seed: int) -> tuple[Request, ...]:
    """One request a step, in the order of STEPS."""
    told = {
        "premise": {"known": caption, "premise": pair.premise},
        "answer": {"known": caption, "question": pair.question, "answer": pair.answer},
    }
    requests = []
    for step, name in zip(STEPS, PROMPTS, strict=True):
        words = prompt(name)
        requests.append(
            Request(
                request_id=f"{pair.pair_id}/{step}",
                prompt=words.fill("user", data=fence(told[step], pair.pair_id, step)),
                system=words.parts["system"],
                image=image if params.image else None,
                schema=_schema(step),
                max_tokens=params.max_tokens,
                seed=seed,
            )
        )
    return tuple(requests)


def judge(pair: Pair, requests: Sequence[Request], replies: Sequence[Reply]) -> tuple[Verdict, ...]:
    """What became of each step; a request that failed, or a reply of no use, refuses the pair as well."""
    return tuple(_verdict(pair, step, reply) for step, reply in zip(STEPS, replies, strict=True))


def _verdict(pair: Pair, step: str, reply: Reply) -> Verdict:
    parsed = parse(reply.text, _schema(step)) if reply.text is not None else reply
    if isinstance(parsed, Unusable | Reply):
        why = refusal(parsed)
        return Verdict(pair.pair_id, pair.row_hash, step, None, why.detail, why.reason)
    word = parsed["verdict"]
    agrees = word in _AGREES[step, State(pair.state)]
    wrong = None if agrees else Reason.VERIFIER_DISAGREES
    return Verdict(pair.pair_id, pair.row_hash, step, word, parsed["reason"], wrong)
