"""Every source keeps the same promises over the same images and pairs; a new file is tested by being there."""

from __future__ import annotations

import io
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import BaseModel

from mht import catalog
from mht.errors import ConfigError, MhtError
from mht.model.examples import Example
from mht.storage import Storage
from mht.training.order import Order, OrderParams
from mht.training.shards import Source
from tests.dataset.small import write_dataset
from tests.training.sources.made import MAKE

NAMES = catalog.names("training.sources")
Make = Callable[..., Source]


@pytest.fixture(scope="session")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The Params of each source."""
    folder = tmp_path_factory.mktemp("sources")
    return {name: MAKE[name](folder / name) for name in NAMES}


@pytest.fixture
def make(given: dict[str, dict[str, Any]], storage: Storage) -> Make:
    def run(name: str, **changed: Any) -> Source:
        module = catalog.load("training.sources", name)
        source: Source = module.Source(module.Params.model_validate(given[name] | changed), storage)
        return source

    return run


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What all of them hold."""
    return write_dataset(str(tmp_path_factory.mktemp("pairs")))


def examples(source: Source, epoch: int = 0) -> list[Example]:
    return [e for shard in source.shards() for e in source.read(shard.name, shard.example_ids, epoch)]


def test_there_are_the_four_sources() -> None:
    assert NAMES == ("llava", "mht", "table", "trl")


@pytest.mark.parametrize("name", NAMES)
def test_params_are_a_frozen_model(name: str) -> None:
    params = catalog.load("training.sources", name).Params
    assert issubclass(params, BaseModel)
    assert params.model_config["frozen"]
    assert params.model_config["extra"] == "forbid"
    assert params.model_fields["path"].is_required()


@pytest.mark.parametrize("name", NAMES)
def test_making_one_reads_nothing_and_a_wrong_path_is_told(name: str, make: Make, tmp_path: Path) -> None:
    source = make(name, path=str(tmp_path / "nowhere"))
    for ask in (source.shards, lambda: source.digest, lambda: source.held_out(3, "train")):
        with pytest.raises(MhtError, match="nowhere"):
            ask()


@pytest.mark.parametrize("name", NAMES)
def test_shards_are_named_once_and_the_same_each_time(name: str, make: Make) -> None:
    shards = make(name).shards()
    assert make(name).shards() == shards
    assert len({shard.name for shard in shards}) == len(shards)
    ids = [i for shard in shards for i in shard.example_ids]
    assert len(set(ids)) == len(ids) == 9
    for shard in shards:
        assert shard.split == "train"
        assert shard.exchange_counts == (4.0,) * len(shard.example_ids)


@pytest.mark.parametrize("name", NAMES)
def test_every_pair_is_learnt_with_its_image(
    name: str, make: Make, pairs: list[dict[str, Any]], storage: Storage
) -> None:
    images = {e.example_id: e.image for e in examples(make("mht"))}
    wanted = [pair for pair in pairs if pair["split"] == "train"]
    found = examples(make(name))
    learnt = {(x.image, e.turns[0].question, e.turns[0].answer) for x in found for e in x.exchanges}
    assert learnt == {(images[pair["image_id"]], pair["question"], pair["answer"]) for pair in wanted}
    exchange_ids = [e.exchange_id for x in found for e in x.exchanges]
    assert sorted(exchange_ids) == sorted(pair["pair_id"] for pair in wanted)
    for example in found:
        Image.open(io.BytesIO(example.image or b"")).load()
    if name != "llava":
        rejected = {e.exchange_id: e.rejected for x in found for e in x.exchanges}
        assert rejected == {pair["pair_id"]: pair["rejected"] for pair in wanted}
    assert make(name).left_out == ""


@pytest.mark.parametrize("name", NAMES)
def test_what_is_asked_for_is_read_in_that_order_also_after_a_journey(name: str, make: Make) -> None:
    source = make(name)
    shard = max(source.shards(), key=lambda shard: len(shard.example_ids))
    ids = shard.example_ids[2], shard.example_ids[0]
    found = source.read(shard.name, ids, 1)
    assert tuple(e.example_id for e in found) == ids
    assert pickle.loads(pickle.dumps(source)).read(shard.name, ids, 1) == found
    assert make(name).read(shard.name, ids, 1) == found
    assert source.read(shard.name, (), 0) == []
    with pytest.raises(MhtError, match="elsewhere"):
        source.read(shard.name, ("elsewhere",), 0)
    with pytest.raises(MhtError, match="no-shard"):
        source.read("no-shard", ids, 0)


@pytest.mark.parametrize("name", NAMES)
def test_an_order_over_its_shards_takes_every_example_once(name: str, make: Make) -> None:
    shards = make(name).shards()
    order = Order([shard.exchange_counts for shard in shards], 1, OrderParams())
    seen = []
    for step in order.steps(0, 4):
        for rank in range(3):
            numbers, rows = order.places(order.part(step, rank, 3))
            seen += [shards[s].example_ids[r] for s, r in zip(numbers, rows, strict=True)]
    assert sorted(seen) == sorted(i for shard in shards for i in shard.example_ids)


@pytest.mark.parametrize("name", NAMES)
def test_the_digest_is_of_what_the_data_is(name: str, make: Make, storage: Storage, tmp_path: Path) -> None:
    digest = make(name).digest
    assert re.fullmatch("[0-9a-f]{16}", digest)
    module = catalog.load("training.sources", name)
    elsewhere = MAKE[name](tmp_path / "elsewhere")
    assert module.Source(module.Params(**elsewhere), storage).digest == digest
    changed = MAKE[name](tmp_path / "changed", lambda rows: rows[1:])
    assert module.Source(module.Params(**changed), storage).digest != digest


@pytest.mark.parametrize("name", NAMES)
def test_rows_are_held_out_the_same_each_time(name: str, make: Make, pairs: list[dict[str, Any]]) -> None:
    source = make(name)
    trained = {e.image for e in examples(source)}
    rows = source.held_out(100, "validation")
    wanted = [pair for pair in pairs if pair["split"] == "validation"]
    assert {(row.question, row.answer) for row in rows} == {(p["question"], p["answer"]) for p in wanted}
    assert not {row.image for row in rows} & trained
    assert make(name).held_out(4, "validation") == rows[:4]
    assert source.held_out(0, "validation") == []
    if name != "llava":
        assert {row.rejected for row in rows} == {p["rejected"] for p in wanted}
    for column in ("state", "type", "form", "risk", "polarity", "twin_id"):
        found = {getattr(row, column) for row in rows}
        assert found == ({p[column] for p in wanted} if name == "mht" else {None})


@pytest.mark.parametrize("name", NAMES)
def test_a_split_that_is_not_there_is_told(name: str, make: Make) -> None:
    with pytest.raises(ConfigError, match="validation"):
        make(name).held_out(4, "validaton")
    with pytest.raises(ConfigError, match="validation"):
        make(name, split="validaton").shards()
