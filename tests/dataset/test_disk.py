"""R20: the output's disk is full: told with path and free bytes, nothing cut is reachable, resumed with room."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mht.artifacts import MANIFEST, SUCCESS, Commit, read_checked
from mht.config import load
from mht.dataset.verify import verify
from mht.storage import Storage, StorageParams
from tests import disk
from tests.dataset.disturb import build_disturbed
from tests.dataset.oracle import build_here, common, rows_of, run_mht
from tests.dataset.oracle import commits as commits_of

pytestmark = pytest.mark.timeout(900)
SLACK = 3
ROOM_MIB = 32
"""Enough for the dataset, until something else takes the room."""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with disk.small_disk(tmp_path / "disk", ROOM_MIB) as folder:
        yield folder


def test_r20_a_disk_that_fills_up_ends_the_build_which_resumes_with_room(
    small_disk: Path, ray_cluster: None, phantoms: Path, undisturbed: dict[str, str]
) -> None:
    output = small_disk / "out"
    words = common(phantoms, output)
    full = small_disk / "ballast"
    ended = build_disturbed(words, {}, lambda: len(commits_of(output)) >= 3, lambda: disk.fill(full))
    commits = sorted(output.glob("commits/*/*.json"))
    print(f"figures R20: exit {ended.code} {ended.took_s:.1f} s after, {len(commits)} commits\n{ended.err}")
    assert ended.code == 74, ended.err
    assert ended.took_s < 30 * SLACK
    assert "no room left on" in ended.err
    assert str(output) in ended.err
    assert re.search(r"\([\d,]+ bytes free\)", ended.err)
    assert "start the same command again" in ended.err
    assert "Traceback" not in ended.err
    assert not (output / MANIFEST).exists()
    assert not (output / SUCCESS).exists()
    _every_committed_file_is_whole(output, commits)
    before = commits_of(output)
    full.unlink()
    build_here(*words)
    assert rows_of(str(output)) == undisturbed
    verify(load(None, [f"output={output}"]))
    after = commits_of(output)
    assert {name: after[name] for name in before} == before, "a committed shard was made again"
    assert not list(output.rglob(".*")), "half-written files are left"


def _every_committed_file_is_whole(output: Path, commits: list[Path]) -> None:
    storage = Storage(StorageParams())
    for path in commits:
        for record in Commit.from_json(path.read_bytes(), str(path)).files():
            read_checked(storage, str(output), record)


def test_r20_a_disk_that_is_full_from_the_start_is_told_before_any_work(
    small_disk: Path, phantoms: Path, tmp_path: Path
) -> None:
    disk.fill(small_disk / "ballast")
    began = time.monotonic()
    # Where Ray would live, had it been started.
    ended = run_mht("build", *common(phantoms, small_disk / "out", f"ray.temp_dir={tmp_path / 'ray'}"))
    print(f"figures R20: full from the start: exit {ended.returncode}\n{ended.stderr}")
    assert ended.returncode == 74, ended.stderr
    assert time.monotonic() - began < 10 * SLACK
    assert f"no room left on {str(small_disk)!r} (0 bytes free)" in ended.stderr
    assert [path.name for path in small_disk.iterdir()] == ["ballast"]
    assert not (tmp_path / "ray").exists()
