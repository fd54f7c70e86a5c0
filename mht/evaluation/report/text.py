"""Texts of models and files as they may be shown: nothing in them acts on the page, the terminal or the reader's eye."""

from __future__ import annotations

import re
import unicodedata

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")
_PLAIN_SPACE = re.compile(r"\s+")


def visible(text: str) -> str:
    """Control, direction and zero-width characters, and lone surrogates, as marks that can be seen.

    ESC becomes `␛`, a direction override `[U+202E]`; tabs and line ends stay.
    """
    text = text.replace("\r\n", "\n")
    return "".join(_mark(letter) for letter in _CONTROL.sub(lambda found: chr(0x2400 + ord(found[0])), text))


def _mark(letter: str) -> str:
    if letter in "\n\t" or unicodedata.category(letter) not in ("Cf", "Cc", "Cs", "Cn", "Co", "Zl", "Zp"):
        return letter
    return f"[U+{ord(letter):04X}]"


def one_line(text: str, letters: int = 300) -> str:
    """The same on one line, cut where it is longer than so many letters."""
    flat = _PLAIN_SPACE.sub(" ", visible(text)).strip()
    return flat if len(flat) <= letters else flat[: letters - 1].rstrip() + "…"
