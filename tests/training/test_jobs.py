"""Shards are read once in their window, whatever their examples' order; examples without exchanges are left out."""

from __future__ import annotations

from collections.abc import Sequence

from mht.config_train import OrderParams
from mht.model.examples import Example, Exchange
from mht.training.jobs import Agenda, Job, Reader
from mht.training.shards import Shard

SHARDS = tuple(
    Shard(f"train-{n}", "train", tuple(f"{n}/{i}" for i in range(6)), (1.0,) * 6) for n in range(5)
)


class Counting:
    """A source that counts what is read; the first example of a shard has no exchange in odd epochs."""

    digest = "d"
    left_out = ""

    def __init__(self) -> None:
        self.reads: list[tuple[str, int | None]] = []

    def shards(self) -> list[Shard]:
        return list(SHARDS)

    def read(self, shard: str, example_ids: Sequence[str], epoch: int | None) -> list[Example]:
        self.reads.append((shard, epoch))
        return [
            Example(one, None, () if (epoch or 0) % 2 and one.endswith("/0") else (Exchange(one, ()),))
            for one in example_ids
        ]

    def held_out(self, n: int, split: str) -> list[object]:
        return []


def agenda(**given: int | None) -> Agenda:
    settings = {"step_examples": 4, "epochs": 2, "max_steps": None} | given
    return Agenda(SHARDS, 3, OrderParams(window_shards=2), **settings)  # type: ignore[arg-type]


def test_each_shard_is_read_once_an_epoch() -> None:
    source = Counting()
    reader = Reader(source, SHARDS, keep=4)  # type: ignore[arg-type]
    learnt = [example.example_id for job in agenda().jobs(0, 0, 1) for example in reader.read(job)]
    assert sorted(source.reads) == sorted((shard.name, epoch) for epoch in (0, 1) for shard in SHARDS)
    assert len(learnt) == 30 + 25
    assert len(set(learnt[:30])) == 30


def test_no_more_shards_than_told_are_kept() -> None:
    source = Counting()
    reader = Reader(source, SHARDS, keep=1)  # type: ignore[arg-type]
    for name in ("train-0", "train-1", "train-0"):
        reader.read(Job(0, 0, ((name, (f"{name[-1]}/1",)),)))
    assert [name for name, _ in source.reads] == ["train-0", "train-1", "train-0"]


def test_once_is_every_example_whole_whatever_an_epoch_draws() -> None:
    source = Counting()
    reader = Reader(source, SHARDS, keep=4)  # type: ignore[arg-type]
    jobs = list(agenda(max_steps=9).once().jobs(0, 0, 1))
    learnt = [example.example_id for job in jobs for example in reader.read(job)]
    assert len(jobs) == 8
    assert sorted(learnt) == sorted(one for shard in SHARDS for one in shard.example_ids)
    assert {epoch for _, epoch in source.reads} == {None}
    assert len(list(agenda(max_steps=3).once().jobs(0, 0, 1))) == 3, "and no more than will be met"


def test_steps_count_on_over_the_epochs_and_end_where_told() -> None:
    assert (agenda().total(), agenda(max_steps=9).total(), agenda(max_steps=99).total()) == (16, 9, 16)
    whole = list(agenda().jobs(0, 0, 1))
    assert [job.step for job in whole] == list(range(16))
    assert [job.epoch for job in whole] == [0] * 8 + [1] * 8
    assert list(agenda().jobs(11, 0, 1)) == whole[11:]
    assert [job.step for job in agenda(max_steps=9).jobs(7, 0, 1)] == [7, 8]


def test_a_rank_without_a_part_still_has_its_step() -> None:
    jobs = list(agenda(step_examples=1).jobs(0, 1, 2))
    assert len(jobs) == 60
    assert all(not job.reads for job in jobs)
