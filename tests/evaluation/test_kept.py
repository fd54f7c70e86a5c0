"""Commit records: whose is first counts, the last try counts, and altered files are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from mht.errors import IntegrityError
from mht.evaluation.kept import PREDICTIONS, KeptParts
from mht.evaluation.tables import Kept
from mht.generation import Failure, Reply
from mht.predictions import Prediction
from mht.storage import Storage, StorageParams

STORAGE = Storage(StorageParams())


def row(name: str, reply: str | None, failure: str | None = None) -> Kept:
    options = ("a", "b") if name == "choice" else None
    return Kept(Prediction("b", name, "i", "q ?", "yes", reply, failure, options=options), "so", 3, 2, 1)


def parts(root: Path) -> KeptParts[Kept]:
    return KeptParts(STORAGE, str(root), "f" * 16, "predictions/b", PREDICTIONS)


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    rows = [row("1", "a reply"), row("2", None, "timeout"), row("choice", "")]
    commit = parts(tmp_path).commit("00000", 1, rows)
    assert parts(tmp_path).rows(commit) == rows
    assert parts(tmp_path).commits() == {"00000": commit}
    assert commit.again == 1


def test_whose_commit_is_first_counts(tmp_path: Path) -> None:
    first = parts(tmp_path).commit("00000", 1, [row("1", "first")])
    assert parts(tmp_path).commit("00000", 1, [row("1", "second")]) == first
    assert parts(tmp_path).rows(first)[0].prediction.reply == "first"


def test_the_last_try_counts(tmp_path: Path) -> None:
    kept = parts(tmp_path)
    assert kept.last("00000") is None
    kept.commit("00000", 1, [row("1", None, "timeout")])
    second = kept.commit("00000", 2, [row("1", "a reply")])
    kept.commit("00001", 1, [row("2", "b")])
    assert kept.last("00000") == second
    assert {part: commit.number for part, commit in kept.commits().items()} == {"00000": 2, "00001": 1}
    assert second.again == 0


def test_altered_files_are_told(tmp_path: Path) -> None:
    commit = parts(tmp_path).commit("00000", 1, [row("1", "a reply")])
    file = tmp_path / commit.file.path
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(IntegrityError, match=r"predictions/b/00000.* bytes that are not those"):
        parts(tmp_path).rows(commit)
    record = tmp_path / "commits" / ("f" * 16) / "00000.1.json"
    record.write_text("{")
    with pytest.raises(IntegrityError, match="not a commit record"):
        parts(tmp_path).commits()


def test_replies_that_were_ready_are_kept_till_the_part_is_whole(tmp_path: Path) -> None:
    kept = parts(tmp_path)
    ready = {"1": Reply("a", "text", shares=(0.75, 0.25)), "2": Reply("b", None, Failure.FILTERED, "no")}
    kept.journal("00000").add(ready, {"http://here"})
    assert kept.journal("00000").read() == (ready, {"http://here"})
    assert kept.commits() == {}
    kept.journal("00000").drop()
    assert kept.journal("00000").read() == ({}, set())
