"""Replies that are kept before their part is whole: on a disk line by line, in an object store as one object."""

from __future__ import annotations

from itertools import count
from pathlib import Path

import pytest

from mht.evaluation.ready import Journal
from mht.generation import Failure, Reply
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
