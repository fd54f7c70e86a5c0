"""Texts of models and files as they may be shown: nothing in them acts on a page, a terminal or the eye."""

from __future__ import annotations

import re
import unicodedata

_PLAIN_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """Control, direction and zero-width characters, and lone surrogates, as marks: `[U+202E]`. Tabs, line ends stay."""
    return "".join(map(_mark, text.replace("\r\n", "\n")))


def _mark(letter: str) -> str:
    if letter in "\n\t" or unicodedata.category(letter) not in ("Cf", "Cc", "Cs", "Cn", "Co", "Zl", "Zp"):
        return letter
    return f"[U+{ord(letter):04X}]"


def one_line(text: str, letters: int = 300) -> str:
    """The same on one line, cut where it is longer than so many letters."""
    flat = _PLAIN_SPACE.sub(" ", visible(text)).strip()
    return flat if len(flat) <= letters else flat[: letters - 1].rstrip() + "…"
