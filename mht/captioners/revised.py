"""The caption that ships with the image, corrected by a vision-language model against the pixels."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mht.captioners import given
from mht.captioners._reply import judged
from mht.generation import Reply, Request, refusal
from mht.prompts import fence, prompt
from mht.records import Refusal
from mht.replies import Unusable, parse

PROMPT = "revise"
_SCHEMA = {
    "type": "object",
    "properties": {"caption": {"type": "string", "minLength": 1}, "changed": {"type": "boolean"}},
    "required": ["caption", "changed"],
    "additionalProperties": False,
}


class Params(BaseModel):
    """`engine` is one of `engines.*`. A given or a corrected caption longer than `max_chars` is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    engine: str = Field(min_length=1)
    max_tokens: int = Field(default=512, ge=8, le=8192)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_chars: int = Field(default=4000, ge=1, le=100_000)


def ask(
    image_id: str, raw: str | None, modality: str | None, image: bytes, params: Params, seed: int
) -> Request | Refusal:
    """The request for one image and its caption; a caption that `given` would refuse is refused here, unasked."""
    caption = given.caption(raw, given.Params(max_chars=params.max_chars))
    if isinstance(caption, Refusal):
        return caption
    words = prompt(PROMPT)
    data = {"caption": caption} | ({"modality": modality} if modality else {})
    return Request(
        request_id=image_id,
        prompt=words.fill("user", data=fence(data, image_id)),
        system=words.parts["system"],
        image=image,
        schema=_SCHEMA,
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        seed=seed,
    )


def read(request: Request, reply: Reply, params: Params) -> str | Refusal:
    """The corrected caption in the reply, cleaned; or why there is none."""
    if reply.text is None:
        return refusal(reply)
    parsed = parse(reply.text, _SCHEMA)
    if isinstance(parsed, Unusable):
        return refusal(parsed)
    return judged(given.clean(parsed["caption"]), prompt(PROMPT), params.max_chars)
