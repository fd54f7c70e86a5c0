"""Which code made a result: a digest over whole rooms of mht, comments and docstrings left out."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from mht.seeds import digest


@cache
def code_digest(rooms: tuple[str, ...]) -> str:
    """16 hex digits over the rooms' tables and code, comments and docstrings left out.

    A room is a folder below mht, or a file. Nobody has to remember to raise a version, and explaining code better does
    not throw a stage's output away.
    """
    root = files("mht")
    parts = []
    for room in rooms:
        for name, text in sorted(_texts(root.joinpath(room), room)):
            parts += [name, _bare(text) if name.endswith(".py") else text]
    return digest(*parts, size=8).hex()


def _texts(folder: Traversable, prefix: str) -> Iterator[tuple[str, str]]:
    if folder.is_file():
        yield prefix, folder.read_text(encoding="utf-8")
        return
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _texts(entry, f"{prefix}/{entry.name}")
        elif entry.name.endswith((".py", ".tsv")):
            yield f"{prefix}/{entry.name}", entry.read_text(encoding="utf-8")


def _bare(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [line for line in body if not _is_text(line)]  # type: ignore[attr-defined]
    return ast.dump(tree)


def _is_text(line: ast.AST) -> bool:
    return (
        isinstance(line, ast.Expr)
        and isinstance(line.value, ast.Constant)
        and isinstance(line.value.value, str)
    )
