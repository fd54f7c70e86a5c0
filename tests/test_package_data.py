"""Files that are no code reach an installed mht only where pyproject.toml names them."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_every_file_beside_the_code_is_packaged() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    named = project["tool"]["setuptools"]["package-data"]
    packaged = {
        path
        for package, patterns in named.items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")).glob(pattern)
    }
    there = {
        path for path in (ROOT / "mht").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert {path.relative_to(ROOT).as_posix() for path in there - packaged} == set()
    assert any(path.name == "page.html" for path in packaged)
