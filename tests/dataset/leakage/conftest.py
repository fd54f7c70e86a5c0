"""A folder of radiographs with captions, and a benchmark that holds some of them in disguise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from mht.phantoms.save import write_folder
from tests.browser import CHROMIUM, Browser
from tests.imaging.hostile import save
from tests.imaging.radiographs import DISGUISES, radiograph

IMAGES = 20
# number of the image -> its disguise in the benchmark
LEAKED = {1: "none", 5: "corner", 8: "rim, jpeg, brighter", 13: "third", 19: "left"}
STRANGERS = range(500, 506)


@dataclass(frozen=True, slots=True)
class Place:
    """Where the images lie, what each is called, and where the benchmark lies."""

    images: Path
    names: tuple[str, ...]
    benchmark: Path

    @property
    def leaked(self) -> dict[str, str]:
        """Name of the image -> name of the benchmark's picture that it shows."""
        return {self.names[number]: f"b{number}.png" for number in LEAKED}


def lay_out(folder: Path) -> Place:
    """Phantoms' captions under pictures of our own, and a benchmark beside them."""
    images, benchmark = folder / "images", folder / "benchmark"
    write_folder(images, kinds=("chest_xray", "head_ct"), count=IMAGES, seed=3, side_px=64, workers=1)
    rows = [json.loads(line) for line in (images / "metadata.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        (images / row["file_name"]).write_bytes(save(radiograph(number), "PNG"))
    benchmark.mkdir()
    for number, name in LEAKED.items():
        (benchmark / f"b{number}.png").write_bytes(save(DISGUISES[name](radiograph(number)), "PNG"))
    for number in STRANGERS:
        (benchmark / f"b{number}.png").write_bytes(save(radiograph(number), "PNG"))
    (benchmark / "broken.png").write_bytes(b"no picture at all")
    return Place(images, tuple(row["file_name"] for row in rows), benchmark)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    return lay_out(tmp_path_factory.mktemp("leakage"))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: install it to see leakage.html in a real browser")
    with Browser() as opened:
        yield opened
