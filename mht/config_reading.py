"""A file and a command line read into a schema: merged, checked, every mistake told with its place.

Later wins: the schema's defaults < the YAML file < `key=value` on the command line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mht.config_file import Placed, read_overrides, read_yaml
from mht.config_mistakes import explain
from mht.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)


def read(
    model: type[Model],
    path: str | None,
    overrides: Sequence[str],
    sections: Collection[str] = (),
    named_sections: Collection[str] = (),
) -> tuple[Model, dict[str, str]]:
    """(the configuration, the place of each key that was written). Raises ConfigError with every mistake.

    `sections` are keys that choose a plug-in by `kind`, `named_sections` hold several of them by names of their own:
    another kind on the command line takes the file's settings away, which were for the one named there.
    """
    placed = read_yaml(path) if path else Placed({}, {})
    given = read_overrides(overrides)
    where = {**placed.lines, **given.lines}
    file = _without_other_kinds(placed.values, given.values, sections)
    for key in named_sections:
        before, now = file.get(key), given.values.get(key)
        if isinstance(before, dict) and isinstance(now, dict):
            file = {**file, key: _without_other_kinds(before, now, before)}
    return validated(model, _merge(file, given.values), where), where


def validated(model: type[Model], values: Mapping[str, Any], where: Mapping[str, str]) -> Model:
    """The values as the model has them; `where` tells each key's place. Raises ConfigError with every mistake."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise ConfigError("\n".join(explain(error, where, "", model))) from None


def _without_other_kinds(
    file: dict[str, Any], command_line: Mapping[str, Any], sections: Collection[str]
) -> dict[str, Any]:
    return file | {key: {} for key in sections if _of_another_kind(file.get(key), command_line.get(key))}


def _of_another_kind(before: object, now: object) -> bool:
    if not (isinstance(before, dict) and isinstance(now, dict)):
        return False
    return bool(now.get("kind", before.get("kind")) != before.get("kind"))


def _merge(file: dict[str, Any], command_line: dict[str, Any]) -> Any:
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    try:
        merged = OmegaConf.merge(OmegaConf.create(file), OmegaConf.create(command_line))
        return OmegaConf.to_container(merged, resolve=True, throw_on_missing=True)
    except OmegaConfBaseException as error:
        text = str(error).splitlines()[0]
        raise ConfigError(f"config: {text}. Write the value out, without ${{…}} or ???.") from None
