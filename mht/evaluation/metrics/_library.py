"""Libraries that some metrics need: loaded on the first call, with the remedy where one is not there."""

from __future__ import annotations

import importlib
from typing import Any

from mht.errors import ConfigError


def library(name: str, metric: str) -> Any:
    """The module. Raises ConfigError that says how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigError(
            f"metric {metric}: {name} cannot be imported ({error}). Install it with `pip install 'mht[evaluate]'`."
        ) from error
