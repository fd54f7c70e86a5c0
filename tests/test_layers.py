"""The house's layers, held by reading the imports and running nothing."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "mht"

# Row by row; a room may import its own row's shared floor and every row above, never one below.
ROWS = (
    {"errors"},
    {"records", "schemas", "seeds", "generation", "replies", "prompts", "judgements", "predictions", "questions"}
    | {"knowledge"},
    {"storage", "artifacts", "catalog", "reading", "pretrained"}
    | {"lease", "stopping", "terminal", "cluster", "fleet", "watch", "code_digest"}
    | {"sources", "imaging", "engines", "captioners", "perturbations", "pairing", "checks", "verifiers", "phantoms"}
    | {"evaluation.metrics", "evaluation.judges", "evaluation.benchmarks", "evaluation.intervals"},
    {"config", "config_train", "config_evaluate", "config_judges", "config_metrics", "config_people", "config_file"}
    | {"config_reading", "config_identity", "config_mistakes"},
    {"model"},
    {"dataset", "training", "evaluation"},
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
    "evaluation.metrics",
    "evaluation.judges",
    "evaluation.benchmarks",
    "evaluation.intervals",
}
# They meet in artifacts on disk.
PHASES = {"dataset", "training", "evaluation"}
# The phantoms source is the phantoms' own door.
ALLOWED_ACROSS = {("sources", "phantoms")}
RAY_FILES = {
    "cluster.py",
    "fleet.py",
    "training/launch.py",
    "training/feed.py",
    "training/worker.py",
}
HEAVY = {"torch", "transformers", "peft"}
# Rooms where a module may use them, when it is called.
HEAVY_ROOMS = {"engines", "pretrained", "model", "training", "phantoms"}
# Modules that load them when they are imported; beside the engines' private ones and all of `model`.
HEAVY_FILES = {
    "pretrained/loading.py",
    "training/step.py",
    "training/worker.py",
    "training/validation.py",
    "training/answers.py",
    "training/preparation.py",
    "training/preference.py",
    "training/trainee.py",
    "training/proof.py",
    "training/loop.py",
    "training/onlooking.py",
    "training/utilisation.py",
    "training/card.py",
    "training/rank.py",
    "training/plan.py",
    "phantoms/model/blank.py",
    "phantoms/model/eyes.py",
    "phantoms/model/pace.py",
    "phantoms/model/talking.py",
    "phantoms/model/answering.py",
}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def room(path: Path) -> str:
    return named(path.relative_to(ROOT).with_suffix("").parts)


def named(parts: tuple[str, ...]) -> str:
    """The room of a module by its path below mht: a family within a phase is a room of its own."""
    family = ".".join(parts[:2])
    return family if family in FAMILIES else parts[0]


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


def at_once(tree: ast.Module) -> Iterator[str]:
    """What importing the module imports: not what stands in a function, or is there for the type checker."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from imports(node)
            if isinstance(node, ast.ImportFrom):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def is_heavy(path: Path) -> bool:
    private_engine = room(path) == "engines" and path.name[0] == "_" and path.name != "__init__.py"
    return private_engine or room(path) == "model" or path.relative_to(ROOT).as_posix() in HEAVY_FILES


def heavy_faults(path: Path, name: str) -> Iterator[str]:
    """Heavy libraries are for some rooms, and come with the first call: importing any other module loads none."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    if room(path) not in HEAVY_ROOMS:
        yield from (f"{name} imports {one}" for one in sorted(tops(imports(tree)) & HEAVY))
    if not is_heavy(path):
        yield from (f"{name} loads {one} when it is imported" for one in sorted(loads(path, set()) & HEAVY))


def tops(targets: Iterator[str]) -> set[str]:
    return {target.partition(".")[0] for target in targets}


def loads(path: Path, seen: set[Path]) -> set[str]:
    """The libraries that importing a module loads, by itself or through modules that load them."""
    if path in seen:
        return set()
    seen.add(path)
    targets = set(at_once(ast.parse(path.read_text(encoding="utf-8"))))
    ours = {t.removeprefix("mht.").replace(".", "/") for t in targets if t.startswith("mht.")}
    within = {ROOT / f"{t}.py" for t in ours}
    return tops(iter(targets)).union(*(loads(module, seen) for module in within if module.exists()))


def faults(path: Path) -> Iterator[str]:
    here, name = room(path), path.relative_to(ROOT).as_posix()
    yield from heavy_faults(path, name)
    for target in imports(ast.parse(path.read_text(encoding="utf-8"))):
        top = target.partition(".")[0]
        if top == "ray" and name not in RAY_FILES:
            yield f"{name} imports ray"
        if top != "mht" or "." not in target:
            continue
        there = named(tuple(target.split(".")[1:]))
        if here == "__init__" or there == here or there == "__version__":
            continue
        if row_of(there) > row_of(here):
            yield f"{name} imports {target}, which lies in a lower row"
        if here in FAMILIES and there in FAMILIES and (here, there) not in ALLOWED_ACROSS:
            yield f"{name} imports {target}, of another family"
        if {here, there} <= PHASES:
            yield f"{name} imports {target}, of another phase"


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_keep_to_the_layers(path: Path) -> None:
    assert list(faults(path)) == []


def test_every_room_has_a_row() -> None:
    assert {room(path) for path in modules()} - {"__init__"} <= set().union(*ROWS)


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty house, for modules that break a rule."""
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    for family in ("pairing", "engines"):
        (tmp_path / family).mkdir()
    return tmp_path


def test_the_rule_is_not_blind(house: Path) -> None:
    bad = house / "pairing" / "bad.py"
    bad.write_text("import ray\nfrom mht import cli\nfrom mht.checks import unchanged\nimport peft\n")
    assert len(list(faults(bad))) == 5
    phase = house / "training.py"
    phase.write_text("from mht.dataset import plan\nfrom mht.evaluation.metrics import polarity\n")
    assert list(faults(phase)) == ["training.py imports mht.dataset, of another phase"]
    bad.write_text("def late():\n    import torch\n")
    assert list(faults(bad)) == ["pairing/bad.py imports torch"]


@pytest.mark.parametrize(
    "text",
    [
        "import torch.nn",
        "try:\n    from transformers import AutoModel\nexcept ImportError:\n    pass",
        "class Engine:\n    import peft",
        "from mht.engines import _heavy",
        "from mht.engines._heavy import Model",
        "from mht.engines._door import Model",
    ],
)
def test_importing_an_engine_must_load_nothing_heavy(house: Path, text: str) -> None:
    (house / "engines" / "_heavy.py").write_text("import torch")
    (house / "engines" / "_door.py").write_text("from mht.engines import _heavy")
    bad = house / "engines" / "bad.py"
    bad.write_text(text)
    assert len(list(faults(bad))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "class Engine:\n    def __init__(self):\n        import torch\n        from mht.engines import _heavy",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from mht.engines._heavy import Model",
    ],
)
def test_an_engine_may_load_them_when_it_is_made(house: Path, text: str) -> None:
    (house / "engines" / "_heavy.py").write_text("import torch")
    good = house / "engines" / "good.py"
    good.write_text(text)
    assert list(faults(good)) == []
    assert list(faults(house / "engines" / "_heavy.py")) == []
