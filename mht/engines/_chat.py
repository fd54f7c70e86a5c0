"""A request as chat messages, and a chat completion as a reply. Pure: bytes and dicts, no network.

The image stands before the text, and the system's words before both, so that requests which share them share a
prefix, and an endpoint that caches prefixes computes the image once.
"""

from __future__ import annotations

import base64
from typing import Any

from mht.generation import Failure, Reply, Request

_MAGIC = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}


def media_type(image: bytes) -> str | None:
    """The type that the first bytes name; None for anything but JPEG and PNG."""
    return next((name for magic, name in _MAGIC.items() if image.startswith(magic)), None)


def unsendable(request: Request) -> Reply | None:
    """The reply to a request that no endpoint should get; it costs no call."""
    if request.image is None or media_type(request.image):
        return None
    detail = "the image is neither JPEG nor PNG; it was not sent"
    return Reply(request.request_id, None, Failure.NOT_ACCEPTED, detail, calls=0)


def messages(request: Request, detail: str | None = None) -> list[dict[str, Any]]:
    """The chat messages of OpenAI's shape; the image as a data URL, with `detail` beside it when given."""
    content: str | list[dict[str, Any]] = request.prompt
    if request.image is not None:
        encoded = base64.b64encode(request.image).decode("ascii")
        address = {"url": f"data:{media_type(request.image)};base64,{encoded}"}
        if detail is not None:
            address["detail"] = detail
        content = [{"type": "image_url", "image_url": address}, {"type": "text", "text": request.prompt}]
    user = {"role": "user", "content": content}
    return [user] if request.system is None else [{"role": "system", "content": request.system}, user]


def completion(request: Request, envelope: Any, calls: int) -> Reply:
    """What JSON that came with status 200 says; tokens are counted even where the text is of no use."""
    choices = envelope.get("choices") if isinstance(envelope, dict) else None
    if not isinstance(choices, list):
        detail = "status 200 with JSON that has no choices"
        return Reply(request.request_id, None, Failure.NOT_A_COMPLETION, detail, calls=calls)
    text, failure, detail = _choice(choices, request.cut_ok)
    usage = envelope.get("usage")
    return Reply(
        request.request_id,
        text=text,
        failure=failure,
        detail=detail,
        prompt_tokens=_count(usage, "prompt_tokens"),
        tokens=_count(usage, "completion_tokens"),
        calls=calls,
    )


def _count(usage: object, key: str) -> int:
    value = usage.get(key) if isinstance(usage, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _choice(choices: list[Any], cut_ok: bool) -> tuple[str | None, Failure | None, str]:
    """(text, failure, detail) of the first choice."""
    if not choices:
        return None, Failure.NO_CHOICES, "status 200 with a list of no choices"
    first = choices[0] if isinstance(choices[0], dict) else {}
    if first.get("finish_reason") == "error":
        return None, Failure.SERVER_ERROR, "status 200 with a reply that an error broke off"
    message = first.get("message")
    if not isinstance(message, dict):
        return None, Failure.NOT_A_COMPLETION, "a choice without a message"
    if message.get("refusal"):
        return None, Failure.FILTERED, "the model refused, in the field made for it"
    return said(message.get("content"), first.get("finish_reason"), cut_ok)


def said(
    content: object, finish_reason: object, cut_ok: bool = False
) -> tuple[str | None, Failure | None, str]:
    """(text, failure, detail) of a message's content and the reason why it ended."""
    ended = _ended_badly(finish_reason)
    if ended is None:
        return _text_of(content)
    text = _text_of(content)[0] if cut_ok and ended[0] is Failure.CUT_SHORT else None
    return (None, *ended) if text is None else (text, None, ended[1])


def _ended_badly(finish_reason: object) -> tuple[Failure, str] | None:
    """The failure that a reason to stop stands for."""
    if finish_reason == "content_filter":
        return Failure.FILTERED, "the endpoint's content filter ended the reply"
    if finish_reason == "length":
        return Failure.CUT_SHORT, "the bound of tokens ended the reply; raise max_tokens"
    return None


def _text_of(content: object) -> tuple[str | None, Failure | None, str]:
    """(text, failure, detail) of a message's content; the text without white space around it."""
    content = _joined(content) if isinstance(content, list) else content
    if content is None:
        return None, Failure.EMPTY_REPLY, "no content"
    if not isinstance(content, str):
        return None, Failure.NOT_A_COMPLETION, "content that is not text"
    if not content.strip():
        return None, Failure.EMPTY_REPLY, "blank content"
    if not content.isascii() and any("\ud800" <= char <= "\udfff" for char in content):
        return None, Failure.NOT_A_COMPLETION, "content with a surrogate that has no partner"
    return content.strip(), None, ""


def _joined(parts: list[Any]) -> object:
    """The text of the parts that are text, others left out; the list itself where it is not one of parts."""
    if not all(isinstance(part, dict) for part in parts):
        return parts
    texts = [part.get("text") for part in parts if part.get("type") == "text"]
    return "".join(texts) if all(isinstance(text, str) for text in texts) else parts
