"""The card: a head that the Hub reads, code that runs, limits that are this dataset's own."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml

from mht.artifacts import FileRecord, read_commits
from mht.config import BuildConfig
from mht.dataset.books import Books, add_up
from mht.dataset.card import card
from mht.dataset.columns import IMAGES, PAIRS
from mht.dataset.finish import finish
from mht.dataset.run import Run, read_run
from mht.dataset.verify import verify
from mht.schemas import IMAGE_SCHEMA, PAIR_SCHEMA
from mht.storage import Storage
from tests.dataset.alone import SMALL, build_alone

BESIDE = ("README.md", "croissant.json", "gallery.html", "stats.json", "MANIFEST.json")
Card = Callable[[Books], str]


@pytest.fixture(scope="module")
def root(finished: BuildConfig) -> Path:
    return Path(finished.output)


@pytest.fixture(scope="module")
def run(finished: BuildConfig) -> Run:
    found = read_run(Storage(finished.storage), finished.output)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def books(finished: BuildConfig, run: Run) -> Books:
    return add_up(read_commits(Storage(finished.storage), finished.output, run.name, sorted(run.plan.shards)))


@pytest.fixture
def card_of(run: Run) -> Card:
    duplicates = {"duplicates": {"across_splits": 0}}
    patterns = {kind: {"train": [f"{kind}/train-*.parquet"]} for kind in ("pairs", "images")}
    return lambda books: card(run, "1.2.3", books, duplicates, patterns).decode()


def head(text: str) -> Any:
    return yaml.safe_load(text.split("---\n")[1])


@contextlib.contextmanager
def inside(folder: Path) -> Iterator[io.StringIO]:
    """The working directory is the folder; what is printed is caught."""
    before = os.getcwd()
    os.chdir(folder)
    try:
        with contextlib.redirect_stdout(io.StringIO()) as out:
            yield out
    finally:
        os.chdir(before)


def test_the_head_is_the_dataset(root: Path, books: Books) -> None:
    told = head((root / "README.md").read_text(encoding="utf-8"))
    assert (told["license"], told["language"], told["size_categories"]) == ("cc-by-4.0", ["en"], ["n<1K"])
    assert [config["config_name"] for config in told["configs"]] == ["pairs", "images"]
    for config in told["configs"]:
        for files in config["data_files"]:
            rows = sum(pq.read_metadata(path).num_rows for path in root.glob(files["path"]))
            counted = books.counts["split"][files["split"]]
            assert rows == counted if config["config_name"] == "pairs" else 0 < rows < counted


@pytest.mark.parametrize(
    ("pairs", "size"),
    [(999, "n<1K"), (1000, "1K<n<10K"), (99_999, "10K<n<100K"), (10**6, "1M<n<10M"), (10**7, "n>10M")],
)
def test_sizes(card_of: Card, books: Books, pairs: int, size: str) -> None:
    counted = Books({**books.counts, "total": books.counts["total"] | {"pairs": pairs}})  # type: ignore[dict-item]
    assert head(card_of(counted))["size_categories"] == [size]


def test_mixed_licences_are_other_and_listed(card_of: Card, books: Books) -> None:
    mixed = Books({**books.counts, "licence": {"cc-by-4.0": 5, "unsaid": 2}})  # type: ignore[dict-item]
    text = card_of(mixed)
    assert (head(text)["license"], head(text)["license_name"]) == ("other", "by-image")
    assert "5 cc-by-4.0, 2 without a word on it" in text


def test_it_counts_the_pairs_whose_caption_is_only_silent(card_of: Card, books: Books) -> None:
    told = {"popular": 50, "adversarial": 8, "random": 2}
    some = Books({**books.counts, "strategy": told, "total": Counter(pairs=100)})  # type: ignore[dict-item]
    assert "* 10 pairs (10.0%) stand in twins whose false finding the caption only leaves out." in card_of(
        some
    )
    none = Books({**books.counts, "strategy": {"popular": 50}})  # type: ignore[dict-item]
    assert "only leaves out" not in card_of(none)


def test_its_code_runs_and_pairs_meet_their_images(root: Path, books: Books) -> None:
    text = (root / "README.md").read_text(encoding="utf-8")
    code = re.findall(r"```python\n(.*?)```", text, re.S)[0]
    with inside(root) as out:
        exec(compile(code, "README.md", "exec"), {})
    lines = out.getvalue().splitlines()
    assert len(lines) == books.counts["split"]["train"]
    assert all(re.match(r"\(\d+, \d+\) (faithful|hallucinated) \w", line) for line in lines)


def test_datasets_reads_the_folder_as_it_is(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="datasets is not installed: pip install datasets")
    datasets.disable_progress_bars()
    loaded = {
        kind: datasets.load_dataset(str(root), kind, cache_dir=str(tmp_path)) for kind in ("pairs", "images")
    }
    assert loaded["pairs"].keys() == loaded["images"].keys() == {"train", "validation", "test"}
    assert loaded["pairs"]["train"].column_names == PAIR_SCHEMA.names
    image = loaded["images"]["test"][0]
    assert image["image"].size == (image["width_px"], image["height_px"])
    assert {"finding", "presence"} <= image["facts"][0].keys()


def test_every_column_has_its_words() -> None:
    assert set(PAIR_SCHEMA.names) <= PAIRS.keys(), "say in mht/dataset/columns.py what the new column holds"
    assert set(IMAGE_SCHEMA.names) <= IMAGES.keys(), "say in mht/dataset/columns.py what the new column holds"


def test_words_of_the_data_stay_in_their_cell(card_of: Card, books: Books) -> None:
    hostile = Books({**books.counts, "modality": {"<img src=x>|\n# a *b*": 1}})  # type: ignore[dict-item]
    row = next(line for line in card_of(hostile).splitlines() if "img" in line)
    assert row == r"| \<img src=x\>\| # a \*b\* | 1 | 100.0% |"


def test_it_names_no_place_of_this_machine(root: Path, finished: BuildConfig) -> None:
    source = str(finished.source.model_extra["path"])  # type: ignore[index]
    for name in ("README.md", "croissant.json", "gallery.html"):
        text = (root / name).read_text(encoding="utf-8")
        assert source not in text
        assert str(root) not in text


def test_the_order_of_the_work_changes_no_byte_beside_the_shards(
    finished: BuildConfig, root: Path, tmp_path: Path
) -> None:
    source = Path(str(finished.source.model_extra["path"]))  # type: ignore[index]
    build_alone(source, tmp_path / "out", *SMALL, backwards=True)
    for name in BESIDE:
        here, there = (root / name).read_bytes(), (tmp_path / "out" / name).read_bytes()
        if name == "MANIFEST.json":  # run.json holds the output's address
            here, there = (
                re.sub(rb'"path": "run.json",\s+"rows": 0,\s+"sha256": "\w+"', b"", x) for x in (here, there)
            )
            here, there = (re.sub(rb'"bytes": \d+', b"", x) for x in (here, there))
        assert here == there, name
    assert "books balanced" in verify(finished)


@pytest.fixture
def copied(finished: BuildConfig, root: Path, tmp_path: Path) -> tuple[Path, Storage]:
    shutil.copytree(root, tmp_path / "copy")
    return tmp_path / "copy", Storage(finished.storage)


def test_files_of_another_run_are_not_read_with_ours(
    copied: tuple[Path, Storage], run: Run, finished: BuildConfig
) -> None:
    folder, storage = copied
    ours = sorted(path.name for path in (folder / "pairs").glob("train-*"))
    shutil.copy(folder / "pairs" / ours[0], folder / "pairs" / "train-00099-0123456789abcdef.parquet")
    books = add_up(read_commits(storage, str(folder), run.name, sorted(run.plan.shards)))
    finish(storage, str(folder), run, books, finished.build)
    config = head((folder / "README.md").read_text(encoding="utf-8"))["configs"][0]
    listed = {files["split"]: files["path"] for files in config["data_files"]}
    assert listed["train"] == [f"pairs/{name}" for name in ours]
    assert listed["test"] == "pairs/test-*.parquet"


def test_no_gallery_when_none_is_wanted(
    copied: tuple[Path, Storage], run: Run, finished: BuildConfig
) -> None:
    folder, storage = copied
    books = add_up(read_commits(storage, str(folder), run.name, sorted(run.plan.shards)))
    settings = finished.build.model_copy(update={"gallery_images": 0})
    finish(storage, str(folder), run, books, settings)
    assert not (folder / "gallery.html").exists()
    assert "gallery.html" not in (folder / "MANIFEST.json").read_text()
    moved = finished.model_copy(update={"output": str(folder)})
    assert "books balanced" in verify(moved)


def test_a_split_without_an_image_is_left_out(run: Run, books: Books) -> None:
    only = [FileRecord("pairs/test-00000-0.parquet", 1, 1, "0")]
    patterns = {"pairs": {"test": [f.path for f in only]}, "images": {"test": ["images/test-*.parquet"]}}
    empty = replace(run, plan=replace(run.plan, splits={"test": 1}))
    text = card(empty, "1", books, {"duplicates": {"across_splits": 3}}, patterns).decode()
    assert 'split="test"' in text
    assert "3 pairs of images look alike and lie in two splits" in text
