"""A build comes out the same whoever does it, in whatever order, from whichever store, and after any stop."""

import json
import os
import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from mht import fleet
from mht.artifacts import MANIFEST, SUCCESS, read_manifest
from mht.config import load
from mht.dataset.explain import explain
from mht.dataset.preview import preview
from mht.dataset.verify import verify
from mht.errors import InputError, IntegrityError, Interrupted, RunConflict
from mht.storage import Storage, StorageParams
from tests.dataset.oracle import build_here, common, rows_of


def test_one_worker_makes_the_rows_that_two_make(
    ray_cluster: None, phantoms: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    output = str(tmp_path / "out")
    build_here(*common(phantoms, output, "build.workers=1"))
    assert rows_of(output) == undisturbed
    assert sum(key.startswith("pairs:") for key in undisturbed) > 2000


def test_four_workers_and_the_size_and_order_of_shards_change_no_row(
    ray_cluster: None,
    phantoms: Path,
    undisturbed: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = fleet.Fleet.run

    def shuffled(self: fleet.Fleet, jobs: list[fleet.Job], pulse: Callable[[], None]) -> object:
        mixed = list(jobs)
        random.Random(5).shuffle(mixed)
        return run(self, sorted(mixed, key=lambda job: job[0] != "caption"), pulse)

    monkeypatch.setattr(fleet.Fleet, "run", shuffled)
    output = str(tmp_path / "out")
    build_here(*common(phantoms, output, "build.workers=4", "build.shard_images=37"))
    assert rows_of(output) == undisturbed


def test_a_stop_and_a_resume_change_no_row_and_do_nothing_twice(
    ray_cluster: None, phantoms: Path, undisturbed: dict[str, str], tmp_path: Path
) -> None:
    output = tmp_path / "out"

    def stop_after_three() -> None:
        if len(list(output.glob("commits/*/*.json"))) >= 3:
            raise Interrupted("enough")

    with pytest.raises(Interrupted):
        build_here(*common(phantoms, output, "build.workers=2"), pulse=stop_after_three)
    assert not (output / MANIFEST).exists()
    before = {path: path.stat().st_mtime_ns for path in output.glob("commits/*/*.json")}
    assert 3 <= len(before) < 12
    _, report = build_here(*common(phantoms, output, "build.workers=2"))
    assert rows_of(str(output)) == undisturbed
    assert report.shards_built <= len(report.run.plan.shards) - len(before)
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_a_finished_build_is_told_and_costs_nothing(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    words = common(part_of(60), tmp_path / "out")
    _, first = build_here(*words)
    _, second = build_here(*words)
    assert (first.shards_built > 0, second.shards_built) == (True, 0)
    assert second.books.plain() == first.books.plain()


def test_r22_another_configuration_is_refused_with_its_keys(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    words = common(part_of(60), tmp_path / "out")
    build_here(*words)
    with pytest.raises(RunConflict) as caught:
        build_here(*words, "seed=5", "imaging.jpeg_quality=80")
    assert "seed: 0 -> 5" in str(caught.value)
    assert "imaging.jpeg_quality: 90 -> 80" in str(caught.value)
    assert "new_run=true" in str(caught.value)
    assert caught.value.exit_code == 73
    build_here(*words, "build.max_quarantined=0.5", "build.stall_s=200")


def test_a_new_run_reuses_the_stages_that_are_the_same(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    folder, output = part_of(120), tmp_path / "out"
    _, first = build_here(*common(folder, output))
    images = {path.name for path in (output / "images").iterdir()}
    captions = {path: path.stat().st_mtime_ns for path in output.glob("captions/*/*.parquet")}
    for path in folder.rglob("*.jpg"):
        before = path.stat()  # looks the same in a listing, and cannot be decoded: what is reused is not read
        path.write_bytes(bytes(before.st_size))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    _, second = build_here(*common(folder, output, "new_run=true", "pairing.pairs_per_image=4"))
    assert second.run.name != first.run.name
    assert second.books.total("out") == first.books.total("out")
    assert second.books.total("pairs") < first.books.total("pairs")
    assert {path.name for path in (output / "images").iterdir()} == images
    assert {path: path.stat().st_mtime_ns for path in output.glob("captions/*/*.parquet")} == captions
    verify(load(None, [f"output={output}"]))


def test_verify_finds_what_is_wrong(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    build_here(*common(part_of(60), output))
    config = load(None, [f"output={output}"])
    assert "books balanced" in verify(config)
    _, files = read_manifest(Storage(StorageParams()), str(output))
    for record in files:
        path = output / record.path
        whole = path.read_bytes()
        path.write_bytes(
            whole[: len(whole) // 2] + bytes([whole[len(whole) // 2] ^ 1]) + whole[len(whole) // 2 + 1 :]
        )
        with pytest.raises(IntegrityError, match=record.path):
            verify(config)
        path.unlink()
        with pytest.raises(IntegrityError):
            verify(config)
        path.write_bytes(whole)
    (output / MANIFEST).unlink()
    with pytest.raises(IntegrityError, match="no manifest"):
        verify(config)


def test_a_damaged_dataset_is_mended_by_the_same_command(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    words = common(part_of(60), tmp_path / "out")
    build_here(*words)
    rows = rows_of(str(tmp_path / "out"))
    for path in (tmp_path / "out" / "commits").rglob("*.json"):
        path.unlink()
    for name in (MANIFEST, SUCCESS):
        (tmp_path / "out" / name).unlink()
    build_here(*words)
    assert rows_of(str(tmp_path / "out")) == rows


def test_explain_shows_every_step_and_makes_the_pair_again(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    output = str(tmp_path / "out")
    build_here(*common(part_of(60), output))
    config = load(None, [f"output={output}"])
    pair_ids = [key.removeprefix("pairs:") for key in rows_of(output) if key.startswith("pairs:")]
    for pair_id in random.Random(1).sample(sorted(pair_ids), 12):
        text, same = explain(config, pair_id)
        assert same, text
        for word in ("caption", "step", "pixels", "shard", "rebuilt"):
            assert word in text
    with pytest.raises(InputError, match="no image"):
        explain(config, "0" * 16 + "-1f")
    with pytest.raises(InputError, match="no such pair"):
        explain(config, pair_ids[0][:-3])


def test_preview_shows_pairs_and_writes_nothing(phantoms: Path, tmp_path: Path) -> None:
    config = load(None, common(phantoms, tmp_path / "out"))
    text = preview(config, 3)
    assert text.count("hallucinated, ") >= 3
    assert text.count("faithful, ") >= 3
    assert list(tmp_path.iterdir()) == []


def test_what_stands_beside_the_shards(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    folder = part_of(60)
    one = next(folder.rglob("*.jpg"))
    (one.parent / "again.jpg").write_bytes(one.read_bytes())
    name = one.relative_to(folder).as_posix()
    with (folder / "metadata.jsonl").open("a") as file:
        lines = [json.loads(line) for line in (folder / "metadata.jsonl").read_text().splitlines()]
        twin = next(line for line in lines if line["file_name"] == name)
        again = (one.parent / "again.jpg").relative_to(folder).as_posix()
        file.write(json.dumps(twin | {"file_name": again}) + "\n")
    build_here(*common(folder, output))
    stats = json.loads((output / "stats.json").read_text())
    assert stats["duplicates"]["same_bytes"] == 1
    assert stats["books"]["total"]["in"] == 61
    card = (output / "README.md").read_text()
    assert card.startswith("---\n")
    assert "research" in card
    assert not (output / "owner.json").exists()


def test_an_edited_sidecar_is_read_again(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    folder, output = part_of(60), tmp_path / "out"
    (folder / "metadata.jsonl").unlink()
    for path in folder.rglob("*.jpg"):
        path.with_suffix(".txt").write_text(
            "Small left pleural effusion. No pneumothorax. Right rib fracture."
        )
    build_here(*common(folder, output, "build.max_quarantined=1"))
    edited = sorted(folder.rglob("*.txt"))[7]
    edited.write_text("Large right pleural effusion. No pneumothorax. Left rib fracture.")
    build_here(*common(folder, output, "build.max_quarantined=1", "new_run=true"))
    captions = [
        row["caption"]
        for path in output.glob("captions/*/*.parquet")
        for row in pq.read_table(path).to_pylist()
    ]
    assert sum(text.startswith("Large right") for text in captions) == 1


def test_a_dataset_that_was_moved_is_finished_where_it_lies(
    ray_cluster: None, part_of: Callable[[int], Path], tmp_path: Path
) -> None:
    folder, old, new = part_of(60), tmp_path / "old", tmp_path / "new"
    build_here(*common(folder, old))
    old.rename(new)
    for name in (MANIFEST, SUCCESS):
        (new / name).unlink()
    _, report = build_here(*common(folder, new))
    assert report.shards_built == 0
    assert not old.exists()
    assert "books balanced" in verify(load(None, [f"output={new}"]))
