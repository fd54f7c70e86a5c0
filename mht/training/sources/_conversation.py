"""What was said, as turns to learn: questions and answers in turn, the image in front of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from mht.model.examples import Turn
from mht.training.sources._unfit import Unfit

MARKER = "<image>"
Role = Literal["system", "user", "assistant"]
_WHAT: dict[Role, str] = {"system": "system", "user": "question", "assistant": "answer"}


@dataclass(frozen=True, slots=True)
class Said:
    """One message; `images` is how many images stand in it."""

    by: Role
    text: str
    images: int = 0


def said(by: Role, text: str, images: int = 0) -> Said:
    """A message without the image markers of its text, which are counted. Raises Unfit for no text."""
    count = text.count(MARKER)
    for around in (f"{MARKER}\n", f"\n{MARKER}", MARKER):
        text = text.replace(around, "")
    text = text.strip()
    if not text:
        raise Unfit(f"empty_{_WHAT[by]}")
    if by != "user" and count + images:
        raise Unfit(f"image_in_{_WHAT[by]}")
    return Said(by, text, count + images)


def told(by: Role, value: Any) -> str:
    """What one of them says, as text. Raises Unfit as `text_of` does."""
    return text_of(value, _WHAT[by])


def apart(messages: Sequence[Said]) -> tuple[str | None, Sequence[Said]]:
    """(the system message that a conversation opens with, what follows)."""
    if messages and messages[0].by == "system":
        return messages[0].text, messages[1:]
    return None, messages


def text_of(value: Any, what: str) -> str:
    """A value as text; a number is one, too. Raises Unfit for what is no text, or cannot be written as UTF-8."""
    if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value):
        return str(value)
    if value is None or value != value:  # pandas writes a missing text as NaN
        raise Unfit(f"empty_{what}")
    if not isinstance(value, str):
        raise Unfit("not_text", f"{what} is of type {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unfit("not_unicode", what) from None
    return value


def turns_of(messages: Sequence[Said], has_image: bool) -> tuple[Turn, ...]:
    """User and assistant in turn, the user first. Raises Unfit for another order, or images that do not fit."""
    if not messages:
        raise Unfit("no_conversation")
    if [message.by for message in messages] != ["user", "assistant"] * (len(messages) // 2):
        raise Unfit("not_in_turn", " ".join(message.by for message in messages[:6]))
    images = [message.images for message in messages]
    if sum(images) > 1:
        raise Unfit("several_images", f"{sum(images)} are marked")
    if sum(images) and not has_image:
        raise Unfit("image_not_named", "one is marked")
    if sum(images[1:]):
        raise Unfit("image_after_first_question")
    asked, answered = messages[::2], messages[1::2]
    return tuple(Turn(q.text, a.text) for q, a in zip(asked, answered, strict=True))
