"""The `mht` command as a person meets it: what it prints, what it loads, and the code it ends with."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import mht
from mht.config import load
from mht.dataset.command import summary
from tests.dataset.conftest import draw
from tests.dataset.oracle import build_here, common, environment, rows_of, run_mht

HEAVY = ("ray", "torch", "pyarrow", "numpy", "PIL", "pydicom", "fsspec", "pydantic")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw(tmp_path_factory.mktemp("cli") / "images", 60)


@pytest.fixture(scope="module")
def dataset(ray_cluster: None, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    output = str(tmp_path_factory.mktemp("cli-built") / "out")
    build_here(*common(folder, output))
    return output


def loaded_by(*words: str) -> tuple[int, set[str]]:
    """The exit code of `mht …` and the packages that it imported."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "mht.cli", *words],
        env=environment(), capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    found = re.findall(r"^import time:.*\| +([A-Za-z_]\w*)", done.stderr, re.MULTILINE)
    assert "argparse" in found
    return done.returncode, set(found)


@pytest.mark.parametrize(
    "word",
    [
        "--help",
        "--version",
        "build --help",
        "explain --help",
        "verify --help",
        "preview --help",
        "export --help",
        "convert --help",
        "review --help",
        "review export --help",
    ],
)
def test_help_answers_without_loading_anything_heavy(word: str) -> None:
    code, loaded = loaded_by(*word.split())
    assert code == 0
    assert not loaded & set(HEAVY)


def test_help_names_every_command_and_the_version_is_the_package_s() -> None:
    text = run_mht("--help").stdout
    assert all(
        re.search(rf"^ +{command} ", text, re.MULTILINE)
        for command in ("build", "preview", "explain", "verify", "export", "convert", "review")
    )
    assert "research" in text
    assert run_mht("--version").stdout == f"mht {mht.__version__}\n"


def test_preview_prints_pairs_without_ray_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    words = ("preview", "-n", "2", *common(folder, tmp_path / "out"))
    code, loaded = loaded_by(*words)
    assert code == 0
    assert not loaded & {"ray", "torch"}
    done = run_mht(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("faithful, ") >= 2
    assert done.stdout.count("hallucinated, ") >= 2
    unwrapped = re.sub(r"\n {7}", " ", done.stdout)
    assert len(re.findall(r"^    Q: .*\[.+\]", unwrapped, re.MULTILINE)) >= 4
    assert list(tmp_path.iterdir()) == []


def test_explain_prints_every_step_and_the_same_row(dataset: str) -> None:
    pair = next(key.partition(":")[2] for key in rows_of(dataset) if key.startswith("pairs:"))
    done = run_mht("explain", pair, dataset)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "the same"
    assert all(
        re.search(rf"^{head} ", done.stdout, re.MULTILINE) for head in ("pair", "image", "caption", "step")
    )


def test_verify_says_in_one_line_what_it_checked(dataset: str) -> None:
    done = run_mht("verify", dataset)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert "books balanced" in line
    assert "60 planned" in line


def test_a_damaged_dataset_is_told_by_its_code(dataset: str, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(dataset, copy)
    victim = sorted(copy.glob("pairs/*.parquet"))[0]
    victim.write_bytes(victim.read_bytes()[:-1])
    refused(run_mht("verify", str(copy)), 65, victim.name)


def refused(done: "subprocess.CompletedProcess[str]", code: int, *words: str) -> None:
    """One line on stderr that says all the words, nothing on stdout, and the code."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("mht: ")
    for word in words:
        assert word in line


def test_an_unknown_pair(dataset: str) -> None:
    refused(run_mht("explain", "0" * 16 + "-1f", dataset), 66, "0" * 16)


def test_no_dataset(tmp_path: Path) -> None:
    refused(run_mht("verify", str(tmp_path)), 65, str(tmp_path), "manifest")
    refused(run_mht("explain", "0" * 16 + "-1f", str(tmp_path)), 66, str(tmp_path), "run.json")


@pytest.mark.parametrize("command", ["build", "preview", "build plan=true"])
def test_a_source_folder_that_is_not_there(command: str, tmp_path: Path) -> None:
    first, *more = command.split()
    words = common(tmp_path / "nowhere", tmp_path / "out", "build.progress=false", *more)
    refused(run_mht(first, *words), 66, str(tmp_path / "nowhere"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("command", ["build", "preview", "build plan=true"])
def test_a_source_folder_with_nothing_in_it(command: str, tmp_path: Path) -> None:
    first, *more = command.split()
    (tmp_path / "empty").mkdir()
    words = common(tmp_path / "empty", tmp_path / "out", "build.progress=false", *more)
    refused(run_mht(first, *words), 66, str(tmp_path / "empty"), "nothing is there")
    assert list(tmp_path.rglob("*.parquet")) == []


@pytest.mark.parametrize("output", ["", "out", "a/../out"])
def test_an_output_inside_its_input(output: str, folder: Path) -> None:
    before = set(folder.rglob("*"))
    refused(run_mht("build", *common(folder, folder / output)), 2, "output", "source.path")
    assert set(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("words", "clue"),
    [
        (("build", "buld.workers=2"), "did you mean 'build'"),
        (("build", "source.kind=foldr"), "'folder'"),
        (("build", "nowhere.yaml"), "nowhere.yaml"),
        (("build", "build.workers=-1"), "build.workers"),
    ],
)
def test_a_mistake_in_the_configuration(words: tuple[str, ...], clue: str) -> None:
    refused(run_mht(*words), 2, clue)


def test_the_summary_of_a_finished_build_is_a_table(ray_cluster: None, dataset: str, folder: Path) -> None:
    config, report = build_here(*common(folder, dataset))
    text = summary(config, report)
    assert load(None, common(folder, dataset)) == config
    rows = dict(re.findall(r"^  ( ?.+?)  +(.+)$", text, re.MULTILINE))
    assert rows["in"] == "60 images"
    assert rows["time"].startswith("nothing left to do")
    assert rows["dataset"] == f"{dataset}/MANIFEST.json"
