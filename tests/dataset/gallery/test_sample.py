"""The sample: every kind of pair, the same whatever the order of the commits, no more than is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from mht.artifacts import Commit, FileRecord, parquet_bytes, write_content
from mht.dataset.books import Books, add_up, shard_rank
from mht.dataset.gallery.sample import Look, looks, refusals
from mht.schemas import HASH_SCHEMA, IMAGE_SCHEMA, PAIR_SCHEMA, QUARANTINE_SCHEMA
from mht.storage import Storage, StorageParams

RARE = {"type": "count", "form": "which", "risk": "critical", "split": "test"}

RARE_SHARD = 17
"""The last by `shard_rank`: only a witness leads to it."""


def pair(image_id: str, **given: Any) -> dict[str, Any]:
    usual = {"type": "existence", "form": "yes_no", "risk": "low", "state": "faithful", "split": "train"}
    return {"pair_id": f"{image_id}-0f", "twin_id": "0", "image_id": image_id} | usual | given


def write_shard(root: Path, number: int, images: int, rare: bool, without_pairs: bool = False) -> Commit:
    """A shard of images with one pair each; in a rare one the last image's pair is unlike all the others."""
    storage, shard = Storage(StorageParams()), f"train-{number:05d}"
    ids = [f"{number:08x}{index:08x}" for index in range(images)]
    pairs = [] if without_pairs else [pair(image_id) for image_id in ids]
    if rare:
        pairs[-1] |= RARE
    rows = [
        {
            "image_id": i,
            "modality": "MR" if rare and i == ids[-1] else "CT",
            "image": {"bytes": i.encode(), "path": i},
        }
        for i in ids
    ]
    refused = {
        "image_id": f"{number:016x}",
        "stage": "image",
        "reason": "oom" if rare else "corrupt",
        "detail": "x",
    }

    def write(kind: str, plain: list[dict[str, Any]], schema: pa.Schema) -> FileRecord:
        data = parquet_bytes(pa.Table.from_pylist(plain, schema=schema))
        return write_content(storage, str(root), f"{kind}/{shard}", data, len(plain))

    total = {"in": images + 1, "out": images, "quarantined": 1, "pairs": len(pairs), "backed_off": 0}
    tally = {name: {row[name]: 1 for row in pairs} for name in RARE} | {
        "modality": {r["modality"]: 1 for r in rows}
    }
    return Commit(
        run="r",
        shard=shard,
        images=write("images", rows, IMAGE_SCHEMA),
        pairs=write("pairs", pairs, PAIR_SCHEMA),
        hashes=write("hashes", [], HASH_SCHEMA),
        quarantine=write("quarantine", [refused], QUARANTINE_SCHEMA),
        counts={"total": total, "reason": {refused["reason"]: 1}, **tally},
        seconds=1.0,
    )


@pytest.fixture(scope="module")
def commits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Commit]]:
    """24 shards of 40 images; what is rare stands in one of them."""
    root = tmp_path_factory.mktemp("shards")
    return root, [write_shard(root, number, 40, rare=number == RARE_SHARD) for number in range(24)]


def sample(root: Path, books: Books, limit: int) -> list[Look]:
    return looks(Storage(StorageParams()), str(root), books, limit)


def test_what_is_rare_is_shown_first(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    assert max(made, key=lambda commit: shard_rank(commit.shard)) is made[RARE_SHARD]
    chosen = sample(root, add_up(made), 20)
    assert len(chosen) == 20
    for name, word in RARE.items():
        assert any(row[name] == word for look in chosen for row in look.pairs), name
    assert {look.image["modality"] for look in chosen} == {"CT", "MR"}


def test_the_order_of_the_commits_changes_nothing(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    assert sample(root, add_up(made), 20) == sample(root, add_up(reversed(made)), 20)


def test_no_more_than_asked_for_and_none_twice(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    for limit in (1, 3, 50):
        ids = [look.image["image_id"] for look in sample(root, add_up(made), limit)]
        assert len(ids) == len(set(ids)) == limit


def test_a_picture_comes_with_its_own_bytes(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    for look in sample(root, add_up(made), 20):
        assert look.image["image"]["bytes"] == look.image["image_id"].encode()
        assert [row["image_id"] for row in look.pairs] == [look.image["image_id"]]


def test_few_shards_are_opened(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    opened: list[str] = []

    class Watched(Storage):
        def read(self, uri: str) -> bytes:
            opened.append(uri)
            return super().read(uri)

    looks(Watched(StorageParams()), str(root), add_up(made), 20)
    assert 2 * 8 <= len(opened) <= 2 * 10


def test_an_image_whose_pairs_are_all_gone_is_left_out(tmp_path: Path) -> None:
    made = [
        write_shard(tmp_path, 0, 3, rare=False),
        write_shard(tmp_path, 1, 3, rare=False, without_pairs=True),
    ]
    assert {look.image["image_id"][:8] for look in sample(tmp_path, add_up(made), 20)} == {"00000000"}


def test_each_reason_has_its_count_and_examples(commits: tuple[Path, list[Commit]]) -> None:
    root, made = commits
    corrupt, oom = refusals(Storage(StorageParams()), str(root), add_up(made))
    assert (corrupt.reason, corrupt.count, len(corrupt.examples)) == ("corrupt", 23, 12)
    assert (oom.reason, oom.count, oom.examples[0]["image_id"]) == ("oom", 1, f"{RARE_SHARD:016x}")
