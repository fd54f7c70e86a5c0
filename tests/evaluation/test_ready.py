"""Replies that are kept before their part is whole: on a disk line by line, in an object store as one object."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count
from pathlib import Path

import pytest

from mht.errors import StorageOutage
from mht.evaluation.kept import JUDGEMENTS, KeptParts
from mht.evaluation.part_in_hand import PartInHand
from mht.evaluation.ready import Journal, Ready
from mht.evaluation.tables import Judged
from mht.generation import Failure, Reply, Request
from mht.storage import Storage, StorageParams

_numbers = count()
FIRST = {"1": Reply("a", "text", shares=(0.75, 0.25)), "2": Reply("b", None, Failure.FILTERED, "no")}
SECOND = {"3": Reply("c", "Übrig\n\u2028")}


@pytest.fixture(params=["disk", "store"])
def uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "disk":
        return str(tmp_path / "below" / "00000.ready")
    return f"memory://ready{next(_numbers)}/00000.ready"


def journal(uri: str) -> Journal:
    return Journal(Storage(StorageParams()), uri)


def test_replies_add_up_whoever_adds_them(uri: str) -> None:
    one = journal(uri)
    assert one.read() == ({}, set())
    one.add(FIRST, {"http://here"})
    assert journal(uri).read() == (FIRST, {"http://here"})
    other = journal(uri)
    assert other.read().replies == FIRST
    other.add(SECOND, {"http://there"})
    assert journal(uri).read() == (FIRST | SECOND, {"http://here", "http://there"})
    other.drop()
    assert journal(uri).read() == ({}, set())
    other.drop()


@pytest.mark.parametrize("cut", [1, 2, 40])
def test_a_line_that_was_cut_costs_no_other(uri: str, cut: int) -> None:
    """As a kill in the middle of a write leaves it, or a power cut."""
    storage = Storage(StorageParams())
    journal(uri).add(FIRST)
    storage.write(uri, storage.read(uri)[:-cut])
    whole = FIRST if cut == 1 else {"1": FIRST["1"]}
    again = journal(uri)
    assert again.read().replies == whole
    again.add(SECOND)
    assert journal(uri).read().replies == whole | SECOND
    storage.write(uri, bytes(100) + b"\n" + storage.read(uri))
    assert journal(uri).read().replies == whole | SECOND


def test_on_a_disk_a_reply_is_added_and_nothing_is_written_anew(tmp_path: Path) -> None:
    file = tmp_path / "00000.ready"
    one = journal(str(file))
    one.add(FIRST)
    inode, before = file.stat().st_ino, file.read_bytes()
    one.add(SECOND)
    assert file.stat().st_ino == inode
    assert file.read_bytes().startswith(before)
    assert len(file.read_bytes().splitlines()) == 3


class Fickle:
    """A journal whose first addition meets a store that is away."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []

    def read(self) -> Ready:
        return Ready({}, set())

    def add(self, replies: Mapping[str, Reply], at: Iterable[str] = ()) -> None:
        self.calls.append([reply.request_id for reply in replies.values()])
        if len(self.calls) == 1:
            raise StorageOutage("away")


def test_what_could_not_be_kept_is_kept_the_next_time(tmp_path: Path) -> None:
    kept = KeptParts(Storage(StorageParams()), str(tmp_path), "f" * 16, "judged", JUDGEMENTS)
    part = PartInHand[str, Judged]("00000", kept, 1, {"row": "row"})
    part._journal = fickle = Fickle()  # type: ignore[assignment]
    part.ask({"row": tuple(Request(f"r{number}", f"{number}?") for number in range(4))})
    part.replies["r0"] = Reply("r0", "yes")
    with pytest.raises(StorageOutage):
        part.keep()
    part.replies["r1"] = Reply("r1", None, Failure.TIMEOUT)
    part.keep()
    part.replies["r2"] = Reply("r2", "no")
    part.keep()
    part.keep()
    assert fickle.calls == [["r0"], ["r0"], ["r2"]]
    assert not part.is_whole
    part.replies["r3"] = Reply("r3", "no")
    assert part.is_whole
