"""A caption from the pixels: a vision-language model describes the image, and what it says is cleaned like any text."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from mht.captioners import given
from mht.captioners._reply import judged
from mht.generation import Reply, Request, refusal
from mht.prompts import fence, prompt
from mht.records import Refusal

PROMPT = "caption"


class Params(BaseModel):
    """`engine` is one of `engines.*`. Replies longer than `max_chars` are refused: they are essays, not captions.

    `name_modality`: whether the model is told what kind of image the source calls it, where the source does.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    engine: str = Field(min_length=1)
    max_tokens: int = Field(default=256, ge=8, le=8192)
    temperature: float = Field(default=0.0, ge=0, le=2)
    top_p: float = Field(default=1.0, gt=0, le=1)
    max_chars: int = Field(default=4000, ge=1, le=100_000)
    name_modality: bool = True


def ask(
    image_id: str, raw: str | None, modality: str | None, image: bytes, params: Params, seed: int
) -> Request | Refusal:
    """The request for one image; `raw`, what shipped with it, is not looked at."""
    words = prompt(PROMPT)
    text = words.parts["user"]
    if modality and params.name_modality:
        data = fence({"modality": modality}, image_id)
        text += "\n" + words.fill("with modality", data=data)
    return Request(
        request_id=image_id,
        prompt=text,
        system=words.parts["system"],
        image=image,
        max_tokens=params.max_tokens,
        temperature=params.temperature,
        top_p=params.top_p,
        seed=seed,
    )


def read(request: Request, reply: Reply, params: Params) -> str | Refusal:
    """The description in the reply, cleaned; or why there is none."""
    if reply.text is None:
        return refusal(reply)
    return judged(given.clean(reply.text), prompt(PROMPT), params.max_chars)
