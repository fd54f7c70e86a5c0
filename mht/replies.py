"""From a model's text to something that can be used: a JSON object held to its schema, and signs that a text is none.

Nothing here repairs a reply or falls back to a value. `parse` gives the object or says in one word why there is
none; `refused`, `echoed` and `degenerate` find prose that is no answer. Each of these three would rather miss a bad
text than throw away a good one, and a detail never quotes the reply: a caption may hold a name.

A schema is written in the part of JSON Schema that the engines' constrained decoding shares: `type` (object, array,
string, integer, number, boolean), `properties`, `required`, `additionalProperties`, `items`, `minItems`, `maxItems`,
`enum`, `minLength`, `maxLength`, `minimum`, `maximum`. Another key is the caller's mistake, a ValueError, and never a
check left out in silence. An integer is written as one: 3.0 is a number.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, cast

MAX_CHARS = 20_000


class Kind(StrEnum):
    """Why a text is not the object that was asked for."""

    TOO_LONG = "too_long"
    EMPTY = "empty"
    PROSE = "prose"
    JSON_IN_PROSE = "json_in_prose"
    BROKEN_JSON = "broken_json"
    DUPLICATE_KEY = "duplicate_key"
    NOT_A_NUMBER = "not_a_number"
    NOT_UNICODE = "not_unicode"
    WRONG_SCHEMA = "wrong_schema"


@dataclass(frozen=True, slots=True)
class Unusable:
    """A reply that gives no value: the kind of fault, and where it lies."""

    kind: Kind
    detail: str


def parse(text: str, schema: Mapping[str, Any], max_chars: int = MAX_CHARS) -> dict[str, Any] | Unusable:
    """The JSON object that the whole text is, when it keeps to the schema.

    White space around it and one Markdown fence are taken off; nothing else is. Raises ValueError for a schema that
    is not an object's or uses what is not supported here, whatever the text.
    """
    if schema.get("type") != "object":
        raise ValueError(f"schema at $: type is {schema.get('type')!r}, a reply is an object")
    _check_schema(schema, "$")
    if len(text) > max_chars:
        return Unusable(Kind.TOO_LONG, f"{len(text)} characters, over {max_chars}")
    bare = _unfenced(text.strip())
    if not bare:
        return Unusable(Kind.EMPTY, "no text")
    try:
        value, end = _DECODER.raw_decode(bare)
    except _BadValueError as bad:
        return Unusable(bad.kind, str(bad))
    except (ValueError, RecursionError):
        return _without_json(bare)
    rest = len(bare) - end
    if rest:
        after = Unusable(Kind.JSON_IN_PROSE, f"{rest} characters after the object")
        return after if isinstance(value, dict) else _without_json(bare)
    if not _is_unicode(bare, value):
        return Unusable(Kind.NOT_UNICODE, "a surrogate without its partner")
    fault = _fault(value, schema, "$")
    return Unusable(Kind.WRONG_SCHEMA, fault) if fault else cast("dict[str, Any]", value)


_FENCE = re.compile(r"```(?:json)?[ \t]*\r?\n(.*?)\r?\n?[ \t]*```", re.DOTALL | re.IGNORECASE)


def _unfenced(text: str) -> str:
    fenced = _FENCE.fullmatch(text)
    return fenced[1].strip() if fenced else text


class _BadValueError(Exception):
    """JSON that Python would read and we do not."""

    def __init__(self, kind: Kind, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind


def _constant(name: str) -> float:
    raise _BadValueError(Kind.NOT_A_NUMBER, f"{name} is no JSON number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise _BadValueError(Kind.NOT_A_NUMBER, "a number beyond what a double holds")
    return value


def _whole(digits: str) -> int:
    if len(digits) > 32:
        raise _BadValueError(Kind.NOT_A_NUMBER, f"an integer of {len(digits)} digits")
    return int(digits)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise _BadValueError(Kind.DUPLICATE_KEY, "a key stands twice in one object")
    return made


_DECODER = json.JSONDecoder(
    object_pairs_hook=_once, parse_float=_finite, parse_int=_whole, parse_constant=_constant
)
_BRACES_TRIED = 16


def _without_json(text: str) -> Unusable:
    """What a text is that does not start with an object that ends: a broken one, one among prose, or prose."""
    if text[0] == "{":
        return Unusable(Kind.BROKEN_JSON, f"{len(text)} characters that start an object and are none")
    braces = [place for place, char in enumerate(text) if char == "{"][:_BRACES_TRIED]
    for place in braces:
        try:
            _DECODER.raw_decode(text, place)
        except _BadValueError:
            pass
        except (ValueError, RecursionError):
            continue
        return Unusable(Kind.JSON_IN_PROSE, f"{place} characters before an object")
    return Unusable(Kind.PROSE, "no JSON object")


def _is_unicode(text: str, value: object) -> bool:
    """Only an escape can bring half a pair into a text that had none; most replies have no escape."""
    written = text if "\\u" not in text else json.dumps(value, ensure_ascii=False)
    return not any("\ud800" <= char <= "\udfff" for char in written)


_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
}
_KEYS = {
    "object": {"properties", "required", "additionalProperties"},
    "array": {"items", "minItems", "maxItems"},
    "string": {"enum", "minLength", "maxLength"},
    "integer": {"minimum", "maximum", "enum"},
    "number": {"minimum", "maximum"},
    "boolean": set(),
}
_NOTES = {"type", "title", "description", "$schema"}


def _check_schema(schema: Mapping[str, Any], path: str) -> None:
    kind = schema.get("type")
    if not isinstance(kind, str) or kind not in _TYPES:
        raise ValueError(f"schema at {path}: type {kind!r} is none of {', '.join(_TYPES)}")
    unknown = sorted(set(schema) - _KEYS[kind] - _NOTES)
    if unknown:
        raise ValueError(f"schema at {path}: {', '.join(unknown)} of a {kind} is not supported")
    for name, below in schema.get("properties", {}).items():
        _check_schema(below, f"{path}.{name}")
    if "items" in schema:
        _check_schema(schema["items"], f"{path}[]")


def _fault(value: object, schema: Mapping[str, Any], path: str) -> str | None:
    """The first way in which the value leaves the schema, with its path; None when it keeps to it."""
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        return f"{path} is no {kind}"
    if "enum" in schema and value not in schema["enum"]:
        return f"{path} is none of {', '.join(map(repr, schema['enum']))}"
    if isinstance(value, dict):
        return _object_fault(value, schema, path)
    if isinstance(value, list):
        inner = (_fault(item, schema["items"], f"{path}[{i}]") for i, item in enumerate(value))
        return _bounds(len(value), schema, ("minItems", "maxItems"), f"the length of {path}") or (
            next(filter(None, inner), None) if "items" in schema else None
        )
    if isinstance(value, str):
        return _bounds(len(value), schema, ("minLength", "maxLength"), f"the length of {path}")
    if isinstance(value, (int, float)):
        return _bounds(value, schema, ("minimum", "maximum"), path)
    return None


def _object_fault(value: Mapping[str, Any], schema: Mapping[str, Any], path: str) -> str | None:
    known = schema.get("properties", {})
    missing = [name for name in schema.get("required", ()) if name not in value]
    if missing:
        return f"{path} has no {', '.join(missing)}"
    extra = len(set(value) - set(known))
    if extra and schema.get("additionalProperties") is False:
        return f"{path} has {extra} keys that the schema does not know"
    inner = (_fault(value[name], below, f"{path}.{name}") for name, below in known.items() if name in value)
    return next(filter(None, inner), None)


def _bounds(value: float, schema: Mapping[str, Any], keys: tuple[str, str], what: str) -> str | None:
    low, high = (schema.get(key) for key in keys)
    if low is not None and value < low:
        return f"{what} is under {low}"
    if high is not None and value > high:
        return f"{what} is over {high}"
    return None


# The opening of a reply that declines. "I cannot exclude a small effusion" refuses nothing.
_CANNOT = r"(?:can ?not|can't|could not|couldn't|won't|will not|(?: am|'m) (?:unable|not able) to)"
_TASK = (
    r"(?:interpret|analy[sz]e|diagnose|access|process|provide|give|offer|assist|help|comply|fulfil|create|generate"
    r"|describe|answer|complete|do that|(?:view|see|read|open) (?:the|this|your|any|an?) (?:\w+ )?(?:image|picture))\b"
)
_REFUSAL = re.compile(
    rf"\bi ?{_CANNOT} (?:directly |actually )?{_TASK}"
    r"|\bas an? (?:ai|artificial intelligence|(?:large )?language model)\b|\bi(?:'m| am) (?:just |only )?an ai\b"
    r"|\bunable to (?:interpret|analy[sz]e|view|process|access|open) (?:the|this|your|an?|any|medical) "
    r"(?:\w+ )?(?:image|picture|x-ray|scan|photo)"
    r"|\bno image (?:was|is|has been) (?:provided|attached|uploaded|included|given)\b"
    r"|\bi (?:don't|do not) (?:see|have) (?:an|any|the|access to the) (?:image|picture|attachment)\b"
    r"|\bplease (?:provide|upload|share|attach|send) (?:the|an?|your) (?:\w+ )?(?:image|picture|scan|x-ray)\b"
)
_OPENING_CHARS = 200


def refused(text: str) -> bool:
    """True when the opening of the text declines the task instead of doing it."""
    opening = " ".join(text[: 2 * _OPENING_CHARS].lower().replace("\u2019", "'").split())[:_OPENING_CHARS]
    return _REFUSAL.search(opening) is not None


_WORD = re.compile(r"\w+(?:['\u2019]\w+)?")
_RUN = 5
_FEW_WORDS = 8


def echoed(text: str, prompt: str) -> bool:
    """True when most of the text is the prompt again: half its runs of five words, or all of a short text.

    `prompt` is the instruction alone, without the facts or the caption that a good reply takes up.
    """
    said, asked = _words(text), _words(prompt)
    if len(said) < _RUN:
        return len(said) > 0 and said == asked
    runs, known = _grams(said, _RUN), set(_grams(asked, _RUN))
    shared = sum(run in known for run in runs)
    return shared == len(runs) if len(said) < _FEW_WORDS else 2 * shared >= len(runs)


_SAME_CHAR = re.compile(r"([^\s.])\1{23}")
_SAME_WORD = re.compile(r"\b(\w+)(?:\W+\1\b){7}", re.IGNORECASE)
_LOOP = 8
_WINDOW_WORDS = 200


def degenerate(text: str) -> bool:
    """True for a text without letters, and for one that goes round in a loop.

    A loop is: one character 24 times, one word eight times, runs of eight words that come back twice or more and are
    over half of the text, or under a fifth of different words among 40 to 200.
    """
    if not any(char.isalpha() for char in text) or _SAME_CHAR.search(text) or _SAME_WORD.search(text):
        return True
    words = _words(text)
    head = words[:_WINDOW_WORDS]
    if len(head) >= 40 and 5 * len(set(head)) < len(head):
        return True
    runs = _grams(words, _LOOP)
    often = {run for run, times in Counter(runs).items() if times >= 3}
    covered = {place + step for place, run in enumerate(runs) if run in often for step in range(_LOOP)}
    return 2 * len(covered) > len(words)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _grams(words: Sequence[str], size: int) -> list[tuple[str, ...]]:
    return [tuple(words[place : place + size]) for place in range(len(words) - size + 1)]
