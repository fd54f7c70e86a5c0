"""The books balance, or nothing is closed."""

import pytest

from mht.artifacts import Commit, FileRecord
from mht.dataset.books import add_up
from mht.errors import IntegrityError


def commit(shard: str, came_in: int, out: int, quarantined: int) -> Commit:
    file = FileRecord("x", out, 10, "0")
    total = {"in": came_in, "out": out, "quarantined": quarantined, "pairs": out * 2}
    counts = {"total": total, "reason": {"truncated": quarantined} if quarantined else {}}
    return Commit("run", shard, file, file, file, None, counts, 1.5)


def test_they_add_up() -> None:
    books = add_up([commit("a", 10, 8, 2), commit("b", 5, 5, 0)])
    books.close(15)
    assert (books.total("in"), books.total("out"), books.total("pairs")) == (15, 13, 26)
    assert books.counts["reason"] == {"truncated": 2}
    assert books.quarantined_share == pytest.approx(2 / 15)
    assert len(books.files) == 6


def test_a_shard_that_lost_an_image_is_told() -> None:
    with pytest.raises(IntegrityError, match="10 images in, 8 out and 1 quarantined"):
        add_up([commit("a", 10, 8, 1)])


@pytest.mark.parametrize("planned", [14, 16])
def test_a_plan_that_is_not_met_is_told(planned: int) -> None:
    with pytest.raises(IntegrityError, match=f"{planned} planned, 15 in"):
        add_up([commit("a", 10, 8, 2), commit("b", 5, 5, 0)]).close(planned)


def test_a_commit_record_is_read_back_as_it_was() -> None:
    before = commit("a", 10, 8, 2)
    assert Commit.from_json(before.to_json(), "here") == before


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"run": 1}', b"\xff"])
def test_what_is_no_commit_record_is_told(data: bytes) -> None:
    with pytest.raises(IntegrityError, match="here: not a commit record"):
        Commit.from_json(data, "here")
