"""YAML and `key=value` to plain values, each with the place where it was written.

The subset is small on purpose: no anchors, no tags, no duplicate keys, no resolvers. Numbers and booleans are
read as YAML 1.2 does, so `1e-5` is a number, and `no`, `on` and `12:30:00` are strings.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from mht.errors import ConfigError

_MAX_BYTES = 1 << 20
_RESOLVER = re.compile(r"\$\{[^}]*:")
_SCALARS = (
    ("tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), "tTfF"),
    ("tag:yaml.org,2002:null", re.compile(r"^(?:null|Null|NULL|~|)$"), ["n", "N", "~", ""]),
    ("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), "-+0123456789"),
    (
        "tag:yaml.org,2002:float",
        re.compile(
            r"^(?:[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
        ),
        "-+0123456789.",
    ),
)


@dataclass(frozen=True, slots=True)
class Placed:
    """Nested values, and for each dotted key the place it came from (`file.yaml:12`)."""

    values: dict[str, Any]
    lines: dict[str, str]


class _Loader(yaml.SafeLoader):  # type: ignore[misc]
    """SafeLoader with YAML 1.2's scalars."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute


for _tag, _pattern, _first in _SCALARS:
    _Loader.add_implicit_resolver(_tag, _pattern, list(_first))
# PyYAML's constructor would read 010 as octal and 1_000 as a thousand; YAML 1.2 does neither.
_Loader.add_constructor("tag:yaml.org,2002:int", lambda loader, node: int(loader.construct_scalar(node), 10))


def read_yaml(path: str) -> Placed:
    """A configuration file. Raises ConfigError with file and line for anything out of the subset."""
    try:
        with open(path, "rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read: {error.strerror}. Give the path of a YAML file."
        ) from None
    if len(data) > _MAX_BYTES:
        raise ConfigError(f"{path}: over 1 MiB; a configuration is a page. Is this the right file?")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ConfigError(f"{path}: not UTF-8. Save the file as UTF-8.") from None
    return _parse(text, path)


def read_overrides(overrides: Sequence[str]) -> Placed:
    """`a.b=value` words, the value in YAML (`[1,2]`, `true`, `1e-5`)."""
    values: dict[str, Any] = {}
    lines: dict[str, str] = {}
    for word in overrides:
        dotted, equals, text = word.partition("=")
        if not equals or not re.fullmatch(r"[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*", dotted):
            raise ConfigError(f"command line: {word!r} is not key=value. Write for instance seed=1.")
        if dotted in lines:
            raise ConfigError(f"command line: {dotted} is given twice. Give it once.")
        value = _parse(f"value: {text}", f"command line: {dotted}").values["value"]
        _set(values, dotted, value)
        lines[dotted] = "command line"
    return Placed(values, lines)


def _set(values: dict[str, Any], dotted: str, value: object) -> None:
    *parents, last = dotted.split(".")
    here = values
    for parent in parents:
        step = here.setdefault(parent, {})
        if not isinstance(step, dict):
            raise ConfigError(f"command line: {dotted} lies below {parent}, which is given a value too.")
        here = step
    if isinstance(here.get(last), dict) and not isinstance(value, dict):
        raise ConfigError(f"command line: {dotted} is given a value and has keys below it too.")
    here[last] = value


def _parse(text: str, name: str) -> Placed:
    try:
        _refuse_anchors(text, name)
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
            lines: dict[str, str] = {}
            if node is None:
                return Placed({}, lines)
            _walk(node, name, "", lines)
            values = loader.construct_document(node)
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        problem = getattr(error, "problem", None) or "not YAML"
        raise ConfigError(f"{place}: {problem}. Mend the YAML there.") from None
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{name}: {error}. Mend the YAML there.") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{name}: holds {type(values).__name__}, expected keys with values.")
    return Placed(values, lines)


def _refuse_anchors(text: str, name: str) -> None:
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ConfigError(f"{name}:{line}: anchors and aliases are not used here. Write the value out.")
        if getattr(event, "tag", None):
            raise ConfigError(f"{name}:{line}: tags ({event.tag}) are refused. Write a plain value.")


def _walk(node: yaml.Node, name: str, prefix: str, lines: dict[str, str]) -> None:
    """Note each key's line; refuse duplicate keys, keys that are not words, and resolvers."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = f"{name}:{key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode) or "." in key.value or not key.value:
                raise ConfigError(f"{place}: a key must be one word without a dot.")
            dotted = f"{prefix}{key.value}"
            if dotted in lines:
                raise ConfigError(f"{place}: {dotted} is given twice, first at {lines[dotted]}. Keep one.")
            lines[dotted] = place
            _walk(value, name, f"{dotted}.", lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            _walk(item, name, f"{prefix}{index}.", lines)
    elif _RESOLVER.search(node.value):
        place = f"{name}:{node.start_mark.line + 1}"
        raise ConfigError(f"{place}: resolvers such as {node.value[:60]!r} are refused. Write the value out.")
