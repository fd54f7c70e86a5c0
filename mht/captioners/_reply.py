"""What both captioners that ask a model make of its reply."""

from __future__ import annotations

from mht.prompts import Prompt
from mht.records import Reason, Refusal
from mht.replies import degenerate, echoed, refused


def judged(text: str, words: Prompt, max_chars: int) -> str | Refusal:
    """A cleaned description, unless it is none: empty, an essay, a refusal, an echo of the prompt, or a loop.

    What the prompt was filled with is no echo: a description that was right is given back as it came.
    """
    if not any(c.isalnum() for c in text):
        return Refusal(Reason.REPLY_EMPTY, "nothing is left of the reply once it is cleaned")
    if len(text) > max_chars:
        return Refusal(
            Reason.REPLY_TOO_LONG, f"{len(text)} characters, over captioner.max_chars = {max_chars}"
        )
    if refused(text):
        return Refusal(Reason.REPLY_REFUSED, "the model declined to describe the image")
    if echoed(text, words.parts["user"]):
        return Refusal(Reason.REPLY_ECHOED, "the reply repeats the prompt")
    if degenerate(text):
        return Refusal(Reason.REPLY_DEGENERATE, "the reply goes round in circles")
    return text
