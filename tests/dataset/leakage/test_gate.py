"""A build with a benchmark: what leaks is found whatever the order, the store of pictures and the stage's past."""

from __future__ import annotations

import os
import re
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mht.artifacts import MANIFEST, read_manifest
from mht.config import load
from mht.dataset.leakage.benchmarks import keep, open_benchmarks
from mht.dataset.run import read_run
from mht.dataset.verify import verify
from mht.errors import BenchmarkLeak, ConfigError, InputError, RunConflict
from mht.imaging.leakage import LeakageParams
from mht.storage import Storage, StorageParams
from tests.browser import Browser
from tests.dataset.alone import build_alone
from tests.dataset.leakage.conftest import IMAGES, LEAKED, Place
from tests.dataset.oracle import quarantine_of, rows_of

SMALL = ("build.shard_images=6", "splits.train=.6", "splits.validation=.2", "splits.test=.2")


def build(place: Place, output: Path, *words: str, backwards: bool = False) -> None:
    build_alone(
        place.images, output, f"leakage.benchmarks=[{place.benchmark}]", *SMALL, *words, backwards=backwards
    )


def told(output: Path) -> dict[str, str]:
    """Name of the image -> name of the benchmark's picture, as leakage.parquet and plan.parquet say."""
    plan = pq.read_table(output / "plan.parquet", columns=["image_id", "name"]).to_pylist()
    names = {row["image_id"]: row["name"] for row in plan}
    leaks = pq.read_table(output / "leakage.parquet").to_pylist()
    return {names[row["image_id"]]: row["picture"] for row in leaks}


@pytest.fixture(scope="module")
def left_out(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("left_out") / "out"
    build(place, output, "leakage.action=quarantine")
    return output


def test_what_leaks_is_quarantined_and_the_books_balance(place: Place, left_out: Path) -> None:
    assert told(left_out) == place.leaked
    refused = quarantine_of(str(left_out))
    assert list(refused.values()).count("benchmark_leak") == len(LEAKED)
    config = load(None, [f"output={left_out}", "source.kind=folder", f"source.path={place.images}"])
    assert f"{IMAGES} planned; books balanced" in verify(config)
    manifest, files = read_manifest(Storage(StorageParams()), str(left_out))
    assert manifest["books"]["in"] == IMAGES
    assert {"leakage.parquet", "leakage.html"} <= {record.path for record in files}
    kept = {row for row in rows_of(str(left_out)) if row.startswith("images:")}
    assert not {f"images:{image_id}" for image_id, why in refused.items() if why == "benchmark_leak"} & kept


def test_how_each_was_found_is_told(left_out: Path) -> None:
    rows = {row["picture"]: row for row in pq.read_table(left_out / "leakage.parquet").to_pylist()}
    assert rows["b1.png"]["found_by"] == "bytes"
    assert rows["b13.png"]["found_by"] == "hash"
    corner = rows["b5.png"]
    assert (corner["found_by"], corner["distance_bits"] > 24) == ("detail", True)
    assert all(row["likeness"] >= 0.9 for row in rows.values())
    # the benchmark's picture is the one that was cut: the image shows more than there is in it
    assert (corner["left"], corner["top"]) == pytest.approx((-0.053, -0.053), abs=0.01)


def test_a_build_that_must_not_leak_ends_with_a_report_and_no_dataset(place: Place, tmp_path: Path) -> None:
    output = tmp_path / "out"
    with pytest.raises(
        BenchmarkLeak, match=r"5 images show pictures of a benchmark.*leakage\.html"
    ) as caught:
        build(place, output)
    assert caught.value.exit_code == 4
    assert not (output / MANIFEST).exists()
    assert told(output) == place.leaked
    assert "closed no dataset" in (output / "leakage.html").read_text()


def test_neither_the_order_nor_what_was_kept_before_changes_a_row(
    place: Place, left_out: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "images"
    shutil.copytree(place.images, copy)
    there = Place(copy, place.names, place.benchmark)
    output = tmp_path / "out"
    build(there, output, "leakage.action=quarantine", backwards=True)
    assert rows_of(str(output)) == rows_of(str(left_out))
    # Again, other pairs of the same images: what was kept is compared, its files are not opened.
    leaked = set(there.leaked)
    for name in there.names:
        if name not in leaked:
            before = (copy / name).stat()
            (copy / name).write_bytes(bytes(before.st_size))
            os.utime(copy / name, ns=(before.st_atime_ns, before.st_mtime_ns))
    build(there, output, "leakage.action=report", "pairing.pairs_per_image=4")
    assert told(output) == place.leaked


def as_table(place: Place, file: Path) -> str:
    """The benchmark's pictures in a Parquet file, and how the configuration names it."""
    files = sorted(path for path in place.benchmark.iterdir() if path.name != "broken.png")
    images = [{"bytes": path.read_bytes(), "path": path.name} for path in files]
    pq.write_table(pa.table({"image": images, "id": [path.name for path in files]}), file)
    return f"{{kind: table, path: {file}, id: id, caption: null}}"


def test_of_a_benchmark_in_a_table_too_what_is_only_reported_stays(place: Place, tmp_path: Path) -> None:
    output = tmp_path / "out"
    benchmark = as_table(place, tmp_path / "benchmark.parquet")
    build_alone(place.images, output, f"leakage.benchmarks=[{benchmark}]", "leakage.action=report", *SMALL)
    assert told(output) == place.leaked
    assert "benchmark_leak" not in quarantine_of(str(output)).values()


def kept(output: Path, benchmark: Path, said: Sequence[str] = ()) -> list[str]:
    """What keeping the benchmark for the run in `output` says."""
    storage = Storage(StorageParams())
    run = read_run(storage, str(output))
    assert run is not None
    params = LeakageParams.model_validate({"benchmarks": [str(benchmark)]})
    resolved = run.resolved | {"leakage": params.model_dump(mode="json")}
    lines = list(said)
    opened = open_benchmarks(storage, resolved, run.fingerprints.image)
    keep(storage, str(output), run, opened, lines.append, lambda: None)
    return lines


def test_a_benchmark_is_read_once_and_must_not_change_within_a_run(
    place: Place, left_out: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    output.mkdir()
    shutil.copy(left_out / "run.json", output)
    benchmark = tmp_path / "benchmark"
    shutil.copytree(place.benchmark, benchmark)
    first = kept(output, benchmark)
    assert re.search(r"reading 12 pictures", first[0])
    assert re.search(r"1 pictures cannot be read and are not looked for", first[1])
    assert kept(output, benchmark) == []
    (benchmark / "another.png").write_bytes((benchmark / "b1.png").read_bytes())
    with pytest.raises(RunConflict, match="new_run=true"):
        kept(output, benchmark)


def test_a_benchmark_in_an_archive_is_read(place: Place, left_out: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "benchmark.tar", "w") as archive:
        archive.add(place.benchmark, "all")
    shutil.copy(left_out / "run.json", tmp_path)
    assert "reading 12 pictures" in kept(tmp_path, tmp_path / "benchmark.tar")[0]
    names = [pq.read_table(file).column("name").to_pylist() for file in tmp_path.glob("leakage/*.parquet")]
    assert [name for name in names[0] if name.endswith("b13.png")]


def test_a_benchmark_that_holds_no_picture_is_an_error(left_out: Path, tmp_path: Path) -> None:
    (tmp_path / "benchmark").mkdir()
    (tmp_path / "benchmark" / "page.png").write_bytes(b"<html>not here</html>")
    shutil.copy(left_out / "run.json", tmp_path)
    with pytest.raises(InputError, match=r"none of its 1 pictures can be read \(not_an_image\)"):
        kept(tmp_path, tmp_path / "benchmark")


def test_mistakes_in_the_configuration_are_told_with_their_key(place: Place, tmp_path: Path) -> None:
    for words, clue in (
        (["leakage.benchmarks=[{kind: foldr, path: /x}]"], "did you mean 'folder'"),
        (["leakage.benchmarks=[{kind: folder, pth: /x}]"], r"leakage\.benchmarks\.0\.p"),
        ([f"leakage.benchmarks=[{tmp_path}]", f"output={tmp_path}/out"], "same place or one inside"),
        (["leakage.action=drop"], r"leakage\.action"),
    ):
        with pytest.raises(ConfigError, match=clue):
            load(None, words)


def test_the_report_shows_both_pictures_and_asks_nothing_of_a_network(
    left_out: Path, browser: Browser
) -> None:
    browser.open(left_out / "leakage.html")
    shown = browser.js("[...document.images].filter(i => i.complete && i.naturalWidth > 30).length")
    assert shown == 2 * len(LEAKED)
    text = browser.js("document.body.innerText")
    assert "5 of 20 images show a picture of a benchmark" in text
    assert "the same picture, cut or altered" in text
    assert [url for url in browser.requests if not url.startswith(("file:", "data:"))] == []
    assert browser.complaints == []
