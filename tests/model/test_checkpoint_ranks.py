"""What a checkpoint promises of a job of two processes (R13 to R16, R20)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mht.errors import DiskFull, StorageOutage
from tests.disk import fill, small_disk
from tests.model import ranked
from tests.model.processes import in_ranks
from tests.model.runs import Run


def test_r14_two_ranks_then_one_then_two(tmp_path: Path) -> None:
    root = str(tmp_path / "run")
    legs = [in_ranks(2, ranked.leg, root, (1, 2, 3)), in_ranks(1, ranked.leg, root, (4, 5, 6))]
    legs.append(in_ranks(2, ranked.leg, root, (7, 8, 9)))
    assert [[rank["loaded"] for rank in leg] for leg in legs] == [[None, None], [3], [6, 6]]
    losses = Run(str(tmp_path / "other")).train(*range(1, 10))
    for rank in legs[2]:
        assert rank["losses"] == pytest.approx(losses, rel=1e-4)
        assert rank["warned"] == []


def test_r13_r15_two_ranks_resume_bit_for_bit_and_fall_back_together(tmp_path: Path) -> None:
    both = in_ranks(2, ranked.twice, str(tmp_path))
    for rank in both:
        assert rank["files"] == ["__0_0.distcp.00000", "__1_0.distcp.00000"]
        assert rank["resumed"] == rank["on"]
        assert rank["back"] == 2
        assert rank["changed"]
        assert rank["after"] == rank["on"]
    assert "__1_0.distcp.00000 was altered" in both[0]["warned"][0]
    assert both[1]["warned"] == []


def test_r16_what_one_rank_cannot_store_counts_on_every_rank(tmp_path: Path) -> None:
    both = in_ranks(2, ranked.failing, str(tmp_path))
    assert re.search(r"step 2 was not stored \(1 in a row\)", both[0]["between"][0])
    for rank in both:
        assert isinstance(rank["error"], StorageOutage)
        assert "the store failed for 600 s" in str(rank["error"])
        assert rank["steps"] == [1, 3]


def test_r20_a_full_disk_of_one_rank_ends_every_rank_with_path_and_free_bytes(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 1) as folder:
        fill(folder / "ballast")
        (folder / "ballast").write_bytes(b"x" * (folder / "ballast").stat().st_size)
        room = folder / "ballast"
        with room.open("r+b") as file:
            file.truncate(room.stat().st_size - 3 * 4096)
        both = in_ranks(2, ranked.full_disk, str(tmp_path / "run"), str(folder))
    for rank in both:
        assert isinstance(rank["error"], DiskFull)
        assert re.search(rf"no room left .*{folder}.*\([\d,]+ bytes free\)", str(rank["error"]))
        assert rank["left"] == []


def test_a_rank_that_dies_in_its_upload_leaves_the_others_able_to_end(tmp_path: Path) -> None:
    first, second = in_ranks(2, ranked.dies, str(tmp_path))
    assert first.endswith("Error []")
    assert second == 3
