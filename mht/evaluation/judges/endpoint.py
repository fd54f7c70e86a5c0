"""A language model as the judge, by any engine: an endpoint, transformers, vLLM. The scales are the official four.

What the model reads is our own prompt (`mht/prompts/judge.txt`), not the official wording, so its scores are on a scale
of their own. Question, reference and answer stand in a fence as data, whatever they say. The order of the scales, and
that of reference and answer, is drawn for each row and sample, so that no place is favoured throughout. Of the reply
the schema is read and nothing else: a number beside it is no score. Risk is asked for as safety, since a model takes a
high risk for a bad one, and 10 is the safest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from statistics import fmean, stdev
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mht.generation import TRANSIENT, Reply, Request
from mht.judgements import HIGHEST, LOWEST, NO_TRUTH, SCALES, Asked, Judgement
from mht.prompts import fence, prompt
from mht.replies import Unusable, parse
from mht.seeds import digest, row_rng, row_seed

PROMPT = "judge"
_NAME = "endpoint"
_SAFETY = "safety"
_WORDS = {scale: _SAFETY if scale == "risk" else scale for scale in SCALES}
"""What a scale is called in the prompt and in the reply."""
_POINTS = {"type": "integer", "minimum": int(LOWEST), "maximum": int(HIGHEST)}
_REASON = {"type": "string", "maxLength": 600}


class Params(BaseModel):
    """`image` and `caption`: whether the model is shown them beside question, reference and answer.

    `samples`: how often it is asked of each row, each time in another order; scores are their means. `max_chars`: of
    each text no more is read.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    image: bool = False
    caption: bool = True
    samples: int = Field(default=1, ge=1, le=32)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_tokens: int = Field(default=256, ge=64, le=8192)
    max_chars: int = Field(default=8_000, ge=100, le=100_000)


def identity(params: Params) -> dict[str, Any]:
    """What decides the scores beside the row and the model."""
    words = prompt(PROMPT)
    return {"prompt": words.version, "prompt_sha": digest(words.text(), size=8).hex(), **params.model_dump()}


def sees_image(params: Params) -> bool:
    """Whether `ask` wants the image's bytes."""
    return params.image


def ask(row: Asked, image: bytes | None, params: Params, seed: int) -> tuple[Request, ...]:
    """A request a sample; none for a row without a reference, on which nobody could be held to anything."""
    if not row.truth.strip():
        return ()
    return tuple(_request(row, image, params, seed, number) for number in range(params.samples))


def _request(row: Asked, image: bytes | None, params: Params, seed: int, number: int) -> Request:
    words, rng = prompt(PROMPT), row_rng(seed, f"judge {number}", row.row_id)
    shown = _shown(rng)
    texts = {"question": row.question, "reference": row.truth, "answer": row.reply, "caption": row.caption}
    keys = ["question", *shown, *(["caption"] if params.caption and row.caption else [])]
    scales = [_WORDS[scale] for scale in SCALES]
    rng.shuffle(scales)
    form = ", ".join(['"reason": "..."', *(f'"{scale}": 1 to 10' for scale in scales)])
    data = {key: str(texts[key])[: params.max_chars] for key in keys}
    return Request(
        request_id=f"{row.row_id}#{number}",
        prompt=words.fill(
            "user",
            held="\n".join(words.parts[key] for key in keys),
            image=f"{words.parts['with image']}\n" if image is not None else "",
            scales="\n".join(words.parts[scale] for scale in scales),
            form=f"{{{form}}}",
            data=fence(data, row.row_id, number),
        ),
        system=words.parts["system"],
        image=image,
        schema=schema(scales),
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        seed=row_seed(seed, f"judge {number}", row.row_id),
    )


def _shown(rng: Random) -> list[str]:
    """Reference and answer in the order drawn; the first thing that is."""
    shown = ["reference", "answer"]
    rng.shuffle(shown)
    return shown


def answer_first(row_id: str, samples: int, seed: int) -> float:
    """In which share of the samples of a row the reply stood before the reference, as `ask` draws it."""
    orders = (_shown(row_rng(seed, f"judge {number}", row_id)) for number in range(samples))
    return fmean(shown[0] == "answer" for shown in orders)


def schema(scales: Sequence[str]) -> Mapping[str, Any]:
    """Of the reply: a reason, then whole points on each scale, in this order."""
    return {
        "type": "object",
        "properties": {"reason": _REASON, **dict.fromkeys(scales, _POINTS)},
        "required": ["reason", *scales],
        "additionalProperties": False,
    }


_SCHEMA = schema(tuple(_WORDS.values()))


def read(row: Asked, replies: Sequence[Reply], params: Params) -> Judgement:
    """The means of the usable replies; where there is none the kind of a failure, one in passing before others."""
    if not replies:
        return Judgement(_NAME, failure=NO_TRUTH)
    found = [_parsed(reply) for reply in replies]
    usable = [one for one in found if isinstance(one, dict)]
    if not usable:
        failed = [one for one in found if not isinstance(one, dict)]
        kind, why = next((one for one in failed if one[0] in TRANSIENT), failed[0])
        return Judgement(_NAME, failure=kind, why=why)
    given = [[float(one[word]) for one in usable] for word in _WORDS.values()]
    accuracy, relevance, detail, risk = map(fmean, given)
    spread = None
    if len(usable) > 1:
        a, b, c, d = map(stdev, given)
        spread = (a, b, c, d)
    why = " ".join(str(usable[0]["reason"]).split())
    return Judgement(_NAME, accuracy, relevance, detail, risk, why=why, samples=len(usable), spread=spread)


def _parsed(reply: Reply) -> dict[str, Any] | tuple[str, str]:
    """The object of a reply, or (kind, particulars) of what is wrong with it."""
    if reply.text is None:
        return str(reply.failure), reply.detail
    parsed = parse(reply.text, _SCHEMA)
    return (str(parsed.kind), parsed.detail) if isinstance(parsed, Unusable) else parsed
