"""What a checkpoint promises of a job of two processes (R13 to R16, R20)."""

from __future__ import annotations

import re
import signal
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
        with (folder / "ballast").open("r+b") as ballast:
            ballast.truncate(ballast.seek(0, 2) - 3 * 4096)  # room for folders and no more
        both = in_ranks(2, ranked.full_disk, str(tmp_path / "run"), str(folder))
    for rank in both:
        assert isinstance(rank["error"], DiskFull)
        assert re.search(rf"no room left .*{folder}.*\([\d,]+ bytes free\)", str(rank["error"]))
        assert rank["left"] == []


def test_a_rank_that_dies_in_its_upload_leaves_the_others_able_to_end(tmp_path: Path) -> None:
    first, second = in_ranks(2, ranked.dies, str(tmp_path))
    assert first.endswith("Error []")
    assert second == 3


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[list[float]]:
    """What two ranks lose in three steps."""
    root = tmp_path_factory.mktemp("undisturbed")
    return [rank["losses"] for rank in in_ranks(2, ranked.leg, str(root), (1, 2, 3))]


@pytest.mark.parametrize(("victim", "n"), [(0, 2), (0, 5), (1, 2)])
def test_r13_a_rank_killed_in_an_upload_costs_no_more_than_that_checkpoint(
    tmp_path: Path, undisturbed: list[list[float]], victim: int, n: int
) -> None:
    """The first stores two files, its list, the trainer's state and the manifest; the second a file and its list."""
    root = str(tmp_path / "run")
    ended = in_ranks(2, ranked.killed, root, victim, n)
    assert ended[victim] == -signal.SIGKILL
    assert ended[1 - victim].endswith("Error")
    both = in_ranks(2, ranked.leg, root, (2, 3))
    assert [rank["loaded"] for rank in both] == [1, 1]
    assert [rank["losses"] for rank in both] == undisturbed
