"""One question to an engine."""

from __future__ import annotations

from typing import Any

from mht.engines.transformers import Engine
from mht.generation import Reply, Request
from tests.engines import tiny

QUESTION = "is there a nodule ?"


def one(engine: Engine, **request: Any) -> Reply:
    given = {"prompt": QUESTION, "image": tiny.png(1), "max_tokens": 60} | request
    return engine.generate([Request("one", **given)])[0]
