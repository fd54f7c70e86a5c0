"""What a build must come out as: the map from each row's id to a hash of the row, and how to run one from outside."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from mht.artifacts import read_manifest
from mht.config import BuildConfig, load
from mht.dataset.build import BuildReport, build
from mht.dataset.progress import ProgressLine
from mht.storage import Storage, StorageParams, join

BUILD_S = 500


def rows_of(output: str, params: StorageParams | None = None) -> dict[str, str]:
    """Id to hash of every row that the manifest names: pairs, images with their bytes, quarantined inputs."""
    storage = Storage(params or StorageParams())
    _, files = read_manifest(storage, output)
    rows: dict[str, str] = {}
    for record in files:
        kind = record.path.partition("/")[0]
        if kind not in ("pairs", "images", "quarantine"):
            continue
        table = pq.read_table(pa.BufferReader(storage.read(join(output, record.path))))
        for row in table.to_pylist():
            row_id = f"{kind}:{row['pair_id'] if kind == 'pairs' else row['image_id']}"
            assert row_id not in rows, f"{row_id} stands twice"
            rows[row_id] = hashlib.sha256(repr(sorted(row.items())).encode()).hexdigest()
    return rows


def quarantine_of(output: str) -> dict[str, str]:
    """Image id to reason, over the quarantine files of the manifest."""
    storage = Storage(StorageParams())
    _, files = read_manifest(storage, output)
    return {
        row["image_id"]: row["reason"]
        for record in files
        if record.path.startswith("quarantine/")
        for row in pq.read_table(pa.BufferReader(storage.read(join(output, record.path)))).to_pylist()
    }


def build_here(*words: str, pulse: Callable[[], None] = lambda: None) -> tuple[BuildConfig, BuildReport]:
    """A build in this process, on the session's Ray."""
    config = load(None, words)
    return config, build(config, ProgressLine(on=False), pulse)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "mht.cli", *words]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The test's own, less what would make Ray join another cluster."""
    env = {key: value for key, value in os.environ.items() if key != "RAY_ADDRESS"}
    return env | {"RAY_AUTH_MODE": "disabled"} | dict(extra or {})


def run_mht(
    *words: str, env: Mapping[str, str] | None = None, timeout_s: float = BUILD_S
) -> subprocess.CompletedProcess[str]:
    """`mht …` to its end."""
    return subprocess.run(
        command(*words), env=environment(env), capture_output=True, text=True, timeout=timeout_s, check=False
    )


def start_mht(*words: str, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """`mht …` in a session of its own, running."""
    return subprocess.Popen(
        command(*words),
        env=environment(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(what: Callable[[], bool], process: subprocess.Popen[str], limit_s: float = 400) -> None:
    """Until something is so; fails when the process ends before, or after the limit."""
    began = time.monotonic()
    while not what():
        if process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"ended with {process.returncode} before the moment came\n{out}\n{err}")
        assert time.monotonic() - began < limit_s, "the moment did not come"
        time.sleep(0.02)


def commits(output: Path) -> dict[str, tuple[int, bytes]]:
    """Each commit record by name: its inode and content, which tell whether it was ever written again."""
    found = output.glob("commits/*/*.json")
    return {path.name: (path.stat().st_ino, path.read_bytes()) for path in found}


def common(folder: Path, output: Path | str, *more: str) -> Sequence[str]:
    """The words of a small folder build: shards of 50 images, two workers, unless `more` says otherwise."""
    given = {word.partition("=")[0] for word in more}
    usual = ("build.shard_images=50", "build.workers=2")
    words = ["source.kind=folder", f"source.path={folder}", f"output={output}", *more]
    return words + [word for word in usual if word.partition("=")[0] not in given]
