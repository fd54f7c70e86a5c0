"""How a mistake in a configuration is told: where it stands, the dotted key, what was given, what is allowed."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from pydantic import BaseModel, ValidationError


def place_of(where: Mapping[str, str], dotted: str) -> str:
    """The place of the key, or of its nearest parent that was written down."""
    while dotted:
        if dotted in where:
            return f"{where[dotted]}: "
        dotted = dotted.rpartition(".")[0]
    return ""


def explain(
    error: ValidationError, where: Mapping[str, str], prefix: str, model: type[BaseModel]
) -> Iterator[str]:
    for item in error.errors(include_url=False):
        dotted = prefix + ".".join(map(str, item["loc"]))
        given = item.get("input")
        if item["type"] == "extra_forbidden":
            allowed = _keys_at(model, item["loc"][:-1])
            near = difflib.get_close_matches(str(item["loc"][-1]), allowed, n=1, cutoff=0.0)
            hint = f"did you mean {near[0]!r}? " if near else ""
            message = f"unknown key; {hint}Allowed here: {', '.join(allowed)}."
        elif item["type"] == "missing":
            message = f"required, and not given. Set {dotted}=… on the command line or in the file."
        else:
            message = f"{item['msg']} (given: {_shorten(given)})"
        yield f"{place_of(where, dotted)}{dotted or 'config'}: {message}"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _keys_at(model: type[BaseModel], path: Sequence[str | int]) -> list[str]:
    for step in path:
        kind = model.model_fields[str(step)].annotation if str(step) in model.model_fields else None
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        model = kind
    return sorted(model.model_fields)
