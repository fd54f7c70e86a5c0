"""The house's layers, held by reading the imports and running nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "mht"

# Row by row; a room may import its own row's shared floor and every row above, never one below.
ROWS = (
    {"errors"},
    {"records", "schemas", "seeds", "generation", "replies", "prompts", "knowledge"},
    {"storage", "artifacts", "catalog"}
    | {"sources", "imaging", "engines", "captioners", "perturbations", "pairing", "checks", "verifiers", "phantoms"},
    {"config", "config_file", "config_identity", "config_mistakes"},
    {"dataset"},
    {"cli"},
)  # fmt: skip
FAMILIES = {
    "sources",
    "imaging",
    "engines",
    "captioners",
    "perturbations",
    "pairing",
    "checks",
    "verifiers",
    "phantoms",
}
# The phantoms source is the phantoms' own door.
ALLOWED_ACROSS = {("sources", "phantoms")}
RAY_FILES = {"dataset/fleet.py"}
HEAVY = {"torch", "transformers", "peft"}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def row_of(name: str) -> int:
    return next(i for i, row in enumerate(ROWS) if name in row)


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            if node.module == "mht":
                yield from (f"mht.{alias.name}" for alias in node.names)


def faults(path: Path) -> Iterator[str]:
    here, name = room(path), path.relative_to(ROOT).as_posix()
    for target in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = target.partition(".")[0]
        if top == "ray" and name not in RAY_FILES:
            yield f"{name} imports ray"
        if top in HEAVY:
            yield f"{name} imports {top}"
        if top != "mht" or "." not in target:
            continue
        there = target.split(".")[1]
        if here == "__init__" or there == here or there == "__version__":
            continue
        if row_of(there) > row_of(here):
            yield f"{name} imports {target}, which lies in a lower row"
        if here in FAMILIES and there in FAMILIES and (here, there) not in ALLOWED_ACROSS:
            yield f"{name} imports {target}, of another family"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_keep_to_the_layers(path: Path) -> None:
    assert list(faults(path)) == []


def test_every_room_has_a_row() -> None:
    assert {room(path) for path in modules()} - {"__init__"} == set().union(*ROWS)


def test_the_rule_is_not_blind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    (tmp_path / "pairing").mkdir()
    bad = tmp_path / "pairing" / "bad.py"
    bad.write_text("import ray\nfrom mht import cli\nfrom mht.checks import unchanged\nimport torch\n")
    assert len(list(faults(bad))) == 4
