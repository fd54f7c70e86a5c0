"""Our own dataset: one example an image, its pairs drawn by weight, rows held out with their twins."""

from __future__ import annotations

from typing import Any

import pytest

from mht.errors import ConfigError, InputError, IntegrityError
from mht.model.examples import Example
from mht.reading import Dataset
from mht.storage import Storage
from mht.training.sources.mht import Params, Source
from tests.dataset.small import picture, write_dataset

Ours = tuple[str, dict[str, dict[str, Any]]]


def source(ours: Ours, storage: Storage, **given: Any) -> Source:
    return Source(Params.model_validate({"path": ours[0], **given}), storage)


def everything(one: Source, epoch: int = 0) -> list[Example]:
    return [e for s in one.shards() for e in one.read(s.name, s.example_ids, epoch)]


def test_an_example_is_an_image_with_its_pairs(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage)
    assert [(s.name, s.split, len(s.example_ids)) for s in one.shards()] == [
        ("train-00000", "train", 5),
        ("train-00001", "train", 4),
    ]
    assert {count for s in one.shards() for count in s.exchange_counts} == {4.0}
    examples = everything(one)
    wanted = [pair for pair in ours[1].values() if pair["split"] == "train"]
    learnt = {e.exchange_id: (example.example_id, e) for example in examples for e in example.exchanges}
    assert learnt.keys() == {pair["pair_id"] for pair in wanted}
    for pair in wanted:
        image_id, exchange = learnt[pair["pair_id"]]
        assert image_id == pair["image_id"]
        assert [(t.question, t.answer) for t in exchange.turns] == [(pair["question"], pair["answer"])]
        assert (exchange.rejected, exchange.weight) == (pair["rejected"], 1.0)
    assert {e.example_id: e.image for e in examples} == {
        f"{number:016x}": picture(number)[1] for number in range(3, 12)
    }


def test_examples_come_in_the_order_asked_for(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage)
    ids = [one.shards()[0].example_ids[i] for i in (3, 0, 4)]
    assert [e.example_id for e in one.read("train-00000", ids, 0)] == ids


def test_the_control_is_of_ordinary_pairs(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage, state="faithful", split=["train", "test"])
    assert [s.split for s in one.shards()] == ["test", "train", "train"]
    assert {count for s in one.shards() for count in s.exchange_counts} == {2.0}
    pairs = [ours[1][e.exchange_id] for example in everything(one) for e in example.exchanges]
    assert len(pairs) == 22
    assert {pair["state"] for pair in pairs} == {"faithful"}


def test_a_pair_of_weight_two_is_learnt_as_of_weight_two(ours: Ours, storage: Storage) -> None:
    weights = {"risk": {"critical": 2}, "state": {"faithful": 0}}
    one = source(ours, storage, sampling={"weights": weights})
    assert {count for s in one.shards() for count in s.exchange_counts} == {2.0}
    for example in everything(one):
        found = {(ours[1][e.exchange_id]["risk"], e.weight) for e in example.exchanges}
        assert found == {("low", 1.0), ("critical", 2.0)}


def test_drawn_pairs_differ_by_epoch_and_their_number_is_expected(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage, sampling={"weights": {"risk": {"critical": 0.25, "low": 0.5}}})
    assert {count for s in one.shards() for count in s.exchange_counts} == {1.5}
    epochs = [everything(one, epoch) for epoch in range(60)]
    assert everything(one, 0) == epochs[0] != epochs[1]
    counts = [len(example.exchanges) for examples in epochs for example in examples]
    assert abs(sum(counts) / len(counts) - 1.5) < 0.15
    assert 0 in counts, "an image without a drawn pair is an example all the same"
    states = [ours[1][e.exchange_id]["state"] for es in epochs for ex in es for e in ex.exchanges]
    assert states.count("faithful") == states.count("hallucinated")


def test_no_pair_of_weight_above_0_is_told(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage, sampling={"weights": {"risk": {"critical": 0, "low": 0}}})
    with pytest.raises(InputError, match="no pair is chosen"):
        one.shards()


@pytest.mark.parametrize(
    ("key", "word", "near"),
    [("split", "trian", "train"), ("state", "faithfull", "faithful"), ("type", "x", "exis")],
)
def test_what_the_dataset_does_not_have_is_told(
    key: str, word: str, near: str, ours: Ours, storage: Storage
) -> None:
    with pytest.raises(ConfigError, match=f"did you mean '{near}"):
        source(ours, storage, **{key: word}).shards()


def test_the_digest_is_the_dataset_s(ours: Ours, storage: Storage) -> None:
    assert source(ours, storage, state="faithful").digest == Dataset(storage, ours[0]).digest


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 100])
def test_twins_are_held_out_whole(n: int, ours: Ours, storage: Storage) -> None:
    rows = source(ours, storage, state="faithful").held_out(n, "validation")
    assert len(rows) == min(n // 2 * 2, 8)
    assert [row.state for row in rows] == ["faithful", "hallucinated"] * (len(rows) // 2)
    for row in rows:
        pair = ours[1][row.exchange.exchange_id]
        assert pair["split"] == "validation"
        for name in (
            "question",
            "answer",
            "rejected",
            "state",
            "type",
            "form",
            "risk",
            "polarity",
            "twin_id",
        ):
            assert getattr(row, name) == pair[name]
        assert row.image == picture(int(row.example_id, 16))[1]


def test_what_is_held_out_is_from_all_over_and_the_same_each_time(ours: Ours, storage: Storage) -> None:
    one = source(ours, storage)
    few, more = one.held_out(8, "train"), one.held_out(20, "train")
    assert more[: len(few)] == few
    assert {row.example_id for row in more} != {f"{number:016x}" for number in range(3, 8)}
    with pytest.raises(ConfigError, match="did you mean 'validation'"):
        one.held_out(4, "validaton")


def test_a_wrong_answer_that_is_none_is_none(tmp_path: Any, storage: Storage) -> None:
    def change(pairs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**p, "rejected": ("", p["answer"], None, "No.")[i % 4]} for i, p in enumerate(pairs)]

    root = str(tmp_path / "dataset")
    write_dataset(root, change=change)
    examples = everything(source((root, {}), storage))
    assert {e.rejected for example in examples for e in example.exchanges} == {None, "No."}


def test_a_damaged_shard_is_not_learnt(tmp_path: Any, storage: Storage) -> None:
    write_dataset(str(tmp_path))
    victim = next(tmp_path.glob("images/train-00001-*.parquet"))
    data = victim.read_bytes()
    victim.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    one = source((str(tmp_path), {}), storage)
    first, second = one.shards()
    assert len(one.read(first.name, first.example_ids, 0)) == 5
    with pytest.raises(IntegrityError, match=victim.name):
        one.read(second.name, second.example_ids, 0)
