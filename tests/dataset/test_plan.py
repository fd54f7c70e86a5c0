"""The plan: identities, splits, shards, and what a store's listing can hold."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mht.config import SplitConfig
from mht.dataset.plan import PlanReader, assign, group_id, image_id, split_of, write_plan
from mht.errors import InputError, IntegrityError
from mht.records import SourceItem
from mht.storage import Storage, StorageParams

SPLITS = SplitConfig()


def items(count: int, groups: int = 0) -> list[SourceItem]:
    return [
        SourceItem(f"a/{i:04d}.jpg", f"/x/a/{i:04d}.jpg", group=f"g{i % groups}" if groups else None)
        for i in range(count)
    ]


def test_every_image_has_one_shard_of_its_split() -> None:
    shards = list(assign(items(1000), 0, SPLITS, 64))
    rows = [row for shard in shards for row in shard]
    assert sorted(row.item.name for row in rows) == [item.name for item in items(1000)]
    assert all(len({(row.shard, row.split) for row in shard}) == 1 for shard in shards)
    assert all(row.shard.startswith(row.split + "-") for row in rows)
    assert max(map(len, shards)) == 64


def test_groups_never_cross_splits() -> None:
    rows = [row for shard in assign(items(3000, groups=97), 3, SPLITS, 50) for row in shard]
    splits: dict[str, set[str]] = {}
    for row in rows:
        splits.setdefault(row.group, set()).add(row.split)
    assert len(splits) == 97
    assert all(len(found) == 1 for found in splits.values())


def test_shares_of_the_splits_are_those_asked_for() -> None:
    drawn = [split_of(f"patient {i}", 0, SPLITS) for i in range(20_000)]
    assert abs(drawn.count("train") / 20_000 - 0.9) < 0.01
    assert abs(drawn.count("test") / 20_000 - 0.05) < 0.01


def test_an_id_never_depends_on_the_root_and_is_no_path() -> None:
    odd = ["../../etc/passwd", "a\x00b.jpg", "x\ny.png", "\u202egnp.exe", "n" * 300, "\udcff.jpg"]
    ids = [image_id(name) for name in odd]
    assert len(set(ids)) == len(odd)
    assert all(len(i) == 16 and set(i) <= set("0123456789abcdef") for i in ids)


def test_group_ids_are_keyed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MHT_PROJECT_KEY", raising=False)
    plain = group_id("MRN 0012345")
    monkeypatch.setenv("MHT_PROJECT_KEY", "a project's own")
    assert group_id("MRN 0012345") != plain
    assert "0012345" not in plain


def test_two_items_of_one_name_are_told() -> None:
    with pytest.raises(InputError, match=r"lists 'a/0000.jpg' twice"):
        list(assign(items(1) + items(1), 0, SPLITS, 10))


def test_an_empty_listing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lists no image"):
        write_plan(Storage(StorageParams()), str(tmp_path), assign([], 0, SPLITS, 10))


NAMES = st.text(
    st.characters(codec=None) | st.sampled_from("\x00\n\u202e/\\%\udc80\udcff"), min_size=1, max_size=40
)


@settings(max_examples=60, deadline=None)
@given(names=st.lists(NAMES, min_size=1, max_size=30, unique=True))
def test_what_is_planned_is_what_is_read_back(
    names: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = str(tmp_path_factory.mktemp("plan"))
    storage = Storage(StorageParams())
    planned = [SourceItem(name, f"/x/{name}", caption=name, size_bytes=7, version="v") for name in names]
    shards = list(assign(planned, 0, SPLITS, 4))
    plan = write_plan(storage, root, shards)
    with PlanReader(storage, root) as reader:
        read = [row for shard in reader.shards() for row in reader.read(shard)]
        assert reader.shards() == sorted(plan.shards)
    assert plan.images == len(names)
    assert sorted(row.item.name for row in read) == sorted(names)
    assert sorted(row.item.uri for row in read) == sorted(f"/x/{name}" for name in names)


def test_raw_groups_are_not_kept(tmp_path: Path) -> None:
    storage = Storage(StorageParams())
    planned = [SourceItem("a.jpg", "/x/a.jpg", group="Doe^Jane 0012345")]
    write_plan(storage, str(tmp_path), assign(planned, 0, SPLITS, 4))
    assert b"0012345" not in (tmp_path / "plan.parquet").read_bytes()


def test_a_shard_that_is_not_planned_is_an_error(tmp_path: Path) -> None:
    storage = Storage(StorageParams())
    write_plan(storage, str(tmp_path), assign(items(3), 0, SPLITS, 4))
    with PlanReader(storage, str(tmp_path)) as reader:
        with pytest.raises(IntegrityError, match="no shard 'train-00009'"):
            reader.read("train-00009")
        assert reader.find(image_id("a/0001.jpg")) is not None
        assert reader.find("0" * 16) is None
