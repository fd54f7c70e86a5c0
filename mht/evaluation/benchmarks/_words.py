"""What rows hold as text: questions as they are asked, answers, options and ids."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from mht.evaluation.benchmarks._refused import Unfit
from mht.evaluation.benchmarks._rows import Row
from mht.knowledge.polarity import NO, YES, opening
from mht.questions import LETTERS as LETTERS
from mht.questions import Kind

YES_OR_NO = "Answer with yes or no."
BY_LETTER = "Answer with the option's letter from the given choices directly."
_MARKERS = ("<image>\n", "\n<image>", "<image>")


def text_in(row: Row, column: str, what: str) -> str:
    """A column's text without space around it; a number is one, too. Raises Unfit for none: `empty_answer`."""
    text = text_or_none(row, column, what)
    if text is None:
        raise Unfit(f"empty_{what}")
    return text


def text_or_none(row: Row, column: str, what: str) -> str | None:
    """The same, None where there is none. Raises Unfit for what is no text, or cannot be written as UTF-8."""
    value = row.get(column)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise Unfit("not_text", f"{what} is of type {type(value).__name__}")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise Unfit("not_unicode", what) from None
    return value.strip() or None


def without_marker(text: str) -> str:
    """The question without the mark that stands for the image in it."""
    for marker in _MARKERS:
        text = text.replace(marker, "")
    return text.strip()


def kind_of(word: str | None, truth: str) -> str:
    """By the release's own word where it is `open` or `closed`, else by whether the truth is a yes or no."""
    told = (word or "").casefold()
    if told in (Kind.OPEN, Kind.CLOSED):
        return told
    return Kind.CLOSED if opening(truth) is not None else Kind.OPEN


def with_suffix(text: str, kind: str, polarity: str | None, suffix: str) -> str:
    """The suffix goes to closed questions whose answer is yes or no, and to choices; open ones stay as they are."""
    if not suffix or kind == Kind.OPEN or (kind == Kind.CLOSED and polarity not in (YES, NO)):
        return text
    return f"{text}\n{suffix}" if kind == Kind.CHOICE else f"{text} {suffix}"


def with_options(text: str, options: Sequence[str]) -> str:
    """The question, then a line for each option behind its letter."""
    lines = (f"{letter}. {option}" for letter, option in zip(LETTERS, options, strict=False))
    return "\n".join([text, *lines])


def option_text(text: str, letter: str) -> str:
    """An option without the letter that the release puts before it: ` A:Femoral head ` is `Femoral head`."""
    return re.sub(rf"^\s*{letter}\s*[:.)]\s*", "", text).strip()


def right_option(options: Sequence[str], letters: Sequence[str], letter: str) -> str:
    """The option of a letter. Raises Unfit."""
    given = letter.strip().rstrip(".:)").upper()
    for one, option in zip(letters, options, strict=True):
        if one == given:
            return option
    raise Unfit("answer_is_no_option", repr(letter)[:40])
