"""What is written is run: the README's commands, rooms, exit codes and example."""

import ast
import re
import shlex
from pathlib import Path

import pytest

from mht import catalog, config_evaluate, config_train, errors
from mht.cli import _parser, split_words
from mht.config import load
from mht.evaluation.compare_command import read_words

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def commands() -> list[str]:
    return [cell.strip("`") for _, cell, *_ in rows("The flow")]


def test_the_two_commands_are_the_makefiles() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.M))
    told = set(re.findall(r"^\$ make (\w+)$", README, re.M))
    assert told == {"demo", "test"}
    assert told <= targets


@pytest.mark.parametrize("command", commands())
def test_each_command_is_understood(command: str) -> None:
    words = shlex.split(command)
    if words[:3] == ["ray", "job", "submit"]:
        script, words = words[words.index("python") + 1], words[words.index("python") + 2 :]
        assert (ROOT / script).is_file()
        words = ["mht", "build", *words]
    assert words[0] == "mht"
    arguments = _parser().parse_args(words[1:])
    if words[1] == "compare":
        assert len(read_words(arguments.words)[0]) == 2
    elif hasattr(arguments, "words"):
        path, settings = split_words(arguments.words)
        read = {"train": config_train.load, "evaluate": config_evaluate.load}.get(words[1], load)
        read(str(ROOT / path) if path else None, settings)


def test_the_judges_can_be_configured_as_it_is_written(tmp_path: Path) -> None:
    section = README.partition("\n## Judges\n")[2].partition("\n## ")[0]
    (tmp_path / "judges.yaml").write_text(section.partition("```yaml\n")[2].partition("```")[0])
    config = config_evaluate.load(str(tmp_path / "judges.yaml"), ["benchmarks.vqa_rad.path=copy"])
    assert config.judges.keys() == set(catalog.names("evaluation.judges"))
    assert config.released is not None


def test_the_rooms_are_those_of_the_package() -> None:
    told = {name for cell, _ in rows("The house") for name in re.findall(r"`(\w+)`", cell)}
    there = {path.stem for path in (ROOT / "mht").iterdir() if not path.name.startswith("_")}
    assert told == there


def test_the_sources_are_those_of_the_catalog() -> None:
    assert {cell.strip("`") for cell, _ in rows("Sources")} == set(catalog.names("sources"))


def test_the_families_that_share_an_image_are_those_admitted() -> None:
    from mht.model.architectures import ADMITTED

    told = {name for cell, _ in rows("Training") for name in re.findall(r"`(\w+)`", cell)}
    text = {"llama", "mistral", "qwen2", "qwen3", "gemma3_text", "qwen2_5_vl_text", "qwen3_vl_text"}
    assert told == ADMITTED - text


def test_the_exit_codes_are_those_of_the_errors() -> None:
    kinds = [errors.MhtError, *_below(errors.MhtError)]
    codes = {str(kind.exit_code) for kind in kinds} - {"1"}
    told = {code for cell, _ in rows("What happens when things go wrong") for code in cell.split(", ")}
    assert told == codes | {"0", "143"}


def _below(kind: type[errors.MhtError]) -> list[type[errors.MhtError]]:
    return [deeper for child in kind.__subclasses__() for deeper in (child, *_below(child))]


def test_the_example_is_the_file() -> None:
    told = ast.parse(README.partition("```python\n")[2].partition("```")[0])
    file = ast.parse((ROOT / "mht/perturbations/laterality.py").read_text(encoding="utf-8"))

    def bare(tree: ast.Module) -> list[str]:
        for node in ast.walk(tree):
            body = getattr(node, "body", [])
            if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                node.body = body[1:]  # type: ignore[attr-defined]
        return [ast.dump(node) for node in tree.body if not isinstance(node, ast.ImportFrom | ast.Import)]

    assert bare(told) == bare(file)
