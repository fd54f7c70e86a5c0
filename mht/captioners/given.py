"""The caption that ships with the image, cleaned: text is data, and nothing in it may steer a terminal or a model."""

from __future__ import annotations

import re
import unicodedata

from pydantic import BaseModel, ConfigDict, Field

from mht.records import Reason, Refusal

# Terminal escapes: CSI, OSC up to its end, and two-character sequences.
_ESCAPE = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_]?|\x9b[0-?]*[ -/]*[@-~]"
)
_SPACE = re.compile(r"\s+")
# What chat templates use as marks of a turn, of an image or of the end; a caption may hold them by accident or design.
_TEMPLATE = re.compile(
    r"<\|[^<>|]{0,64}\|>"
    r"|<｜[^<>｜]{0,64}｜>"
    r"|\[/?(?:INST|SYS|IMG|IMG_END|IMG_BREAK|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\]"
    r"|<</?SYS>>"
    r"|</?(?:s|image|img|video|audio|bos|eos|pad|unk|mask|start_of_turn|end_of_turn|start_of_image|end_of_image"
    r"|image_soft_token|fake_token_around_image|global-img|end_of_utterance|row_\d+_col_\d+|think|tool_call"
    r"|tool_response|function_calls|im_start|im_end|ImageHere|vision_start|vision_end)>",
    re.IGNORECASE,
)
_INVISIBLE = frozenset("\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u3164\ufeff\uffa0")


class Params(BaseModel):
    """`max_chars`: a longer caption is refused; it is a document, not a caption."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    max_chars: int = Field(default=20_000, ge=1, le=1_000_000)


def _visible(char: str) -> bool:
    """False for control, format (bidirectional and zero-width), private and unassigned characters."""
    return char not in _INVISIBLE and unicodedata.category(char) not in ("Cc", "Cf", "Co", "Cn")


def clean(text: str) -> str:
    """The text in NFC on one line, without control, invisible and terminal characters or chat-template marks.

    Cleaning twice changes nothing more: taking one mark out may put another together, so it is repeated till none
    is left.
    """
    text = _ESCAPE.sub(" ", text)
    text = "".join(c for c in _SPACE.sub(" ", text) if c == " " or _visible(c))
    before = None
    while text != before:
        before = text
        text = unicodedata.normalize("NFC", _SPACE.sub(" ", _TEMPLATE.sub(" ", text))).strip()
    return text


def caption(raw: str | None, params: Params) -> str | Refusal:
    """The caption as shipped, cleaned; or why it cannot be used. Never part of the text in the reason."""
    if raw is None:
        return Refusal(Reason.CAPTION_MISSING, "the source has no caption for this image")
    if len(raw) > params.max_chars:
        detail = f"{len(raw)} characters, over captioner.max_chars = {params.max_chars}; raise it or shorten the text"
        return Refusal(Reason.CAPTION_TOO_LONG, detail)
    if any("\ud800" <= c <= "\udfff" for c in raw):
        detail = "the text holds surrogates without a partner: it was not UTF-8; write the captions as UTF-8"
        return Refusal(Reason.CAPTION_NOT_UTF8, detail)
    cleaned = clean(raw)
    if not any(c.isalnum() for c in cleaned):
        return Refusal(
            Reason.CAPTION_MISSING, "nothing is left of the caption once it is cleaned; give it some text"
        )
    return cleaned
