"""The prompts, one file each, and how untrusted text goes into them: as JSON between two marks with a nonce.

A prompt's whole text is part of the fingerprint of the stage that uses it. The file has a version for people, a part
for the system and one for the user; further parts are put in where a caller asks for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mht.seeds import digest

_PART = "--- "
_TEMPLATE_MARKS = "<>&[]|\uff5c"
_UNSEEN = "\u2028\u2029\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\x7f-\x9f\ud800-\udfff"
_HIDDEN = re.compile(f"[{re.escape(_TEMPLATE_MARKS)}{_UNSEEN}]")


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt as its file says it; `parts` by their names."""

    name: str
    version: int
    parts: Mapping[str, str]

    def text(self) -> str:
        """Everything that a model may see of it, for the fingerprint."""
        return json.dumps([self.name, self.version, dict(self.parts)], sort_keys=True)

    def fill(self, part: str, **given: str) -> str:
        """A part with its `{word}`s filled in. Braces of other kinds, as in an example of JSON, stay as they are."""
        text = self.parts[part]
        for word, value in given.items():
            text = text.replace(f"{{{word}}}", value)
        return text


@cache
def prompt(name: str) -> Prompt:
    """A packaged prompt. Raises ValueError for a file that is not one."""
    return read(name, files("mht").joinpath("prompts", f"{name}.txt").read_text(encoding="utf-8"))


def read(name: str, text: str) -> Prompt:
    """A prompt from the text of its file."""
    head, *rest = text.split(f"\n{_PART}")
    word, _, number = head.strip().partition(": ")
    parts = {}
    for part in rest:
        title, _, body = part.partition("\n")
        parts[title.strip()] = body.strip()
    if word != "version" or not number.isdigit() or not {"system", "user"} <= parts.keys():
        raise ValueError(f"prompt {name!r}: wants a line `version: N` and the parts `system` and `user`")
    return Prompt(name, int(number), parts)


def fence(data: Any, *owner: object) -> str:
    """Untrusted text as data: JSON on one line between two marks that the text cannot hold.

    The nonce is a hash over the owner (the row) and the text itself, so that no text can be written to contain it, and
    the same row makes the same prompt again. What chat templates and formats are made of (`<`, `>`, `&`, brackets, `|`)
    is escaped inside strings, with characters that nobody sees: no special token can stand there.
    """
    body = _escaped(data)
    nonce = digest(*owner, body, size=8).hex()
    return f"BEGIN DATA {nonce}\n{body}\nEND DATA {nonce}"


def _escaped(data: Any) -> str:
    if isinstance(data, str):
        return _HIDDEN.sub(lambda mark: f"\\u{ord(mark[0]):04x}", json.dumps(data, ensure_ascii=False))
    if isinstance(data, Mapping):
        return (
            "{" + ", ".join(f"{_escaped(str(key))}: {_escaped(value)}" for key, value in data.items()) + "}"
        )
    if isinstance(data, list | tuple):
        return "[" + ", ".join(_escaped(value) for value in data) + "]"
    return json.dumps(data)
