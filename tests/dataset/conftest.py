"""Phantoms on disk, drawn once, and what an undisturbed build of them comes out as."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from mht.config import BuildConfig
from mht.phantoms.save import write_folder
from tests.dataset import alone
from tests.dataset.oracle import build_here, common, rows_of

KINDS = ("chest_xray", "head_ct", "blood_smear", "fundus")


def draw(folder: Path, count: int) -> Path:
    write_folder(folder, kinds=KINDS, count=count, seed=11, side_px=96, workers=os.cpu_count() or 1)
    return folder


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """600 small phantoms of every kind with their captions in metadata.jsonl."""
    return draw(tmp_path_factory.mktemp("phantoms") / "images", 600)


@pytest.fixture(scope="session")
def many_phantoms(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 of them, for the tests that kill."""
    return draw(tmp_path_factory.mktemp("many") / "images", 2000)


@pytest.fixture(scope="session")
def undisturbed(
    ray_cluster: None, phantoms: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Id to hash of every row of the undisturbed build of `phantoms`."""
    output = str(tmp_path_factory.mktemp("undisturbed") / "out")
    build_here(*common(phantoms, output, "build.workers=2"))
    return rows_of(output)


@pytest.fixture
def part_of(phantoms: Path, tmp_path: Path) -> Callable[[int], Path]:
    """A copy of the first images of `phantoms`, to be spoilt."""

    def copy(count: int) -> Path:
        folder = tmp_path / "images"
        folder.mkdir()
        lines = (phantoms / "metadata.jsonl").read_text().splitlines()[:count]
        (folder / "metadata.jsonl").write_text("\n".join(lines) + "\n")
        for line in lines:
            name = json.loads(line)["file_name"]
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(phantoms / name, folder / name)
        return folder

    return copy


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> BuildConfig:
    """The configuration of a small dataset that was built and closed without Ray; one caption is hostile."""
    folder = tmp_path_factory.mktemp("finished")
    alone.draw(folder / "images", 64)
    return alone.build_alone(folder / "images", folder / "out", *alone.SMALL)
